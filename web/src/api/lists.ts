// Lists of the API that several pages ask for, and whole lists beyond one page.

import { api, got, send } from './client'
import { Problem } from './problem'
import type { Choice } from './named'
import type { components } from './spec'

export interface Choices {
  distributors: Choice[]
  places: Choice[]
  segments: Choice[]
  subgroups: Choice[]
}

let choices: Promise<Choices> | null = null

/** What there is to choose from, asked once. */
export function allChoices(): Promise<Choices> {
  choices ??= load().catch((error: unknown) => {
    choices = null
    throw error
  })
  return choices
}

async function load(): Promise<Choices> {
  const [distributors, places, segments, subgroups] = await Promise.all([
    got(api.GET('/api/v1/distribuidoras', { params: { query: { limite: 1000 } } })),
    everyPlace(),
    got(api.GET('/api/v1/analytics/consumo', { params: { query: { dimensao: 'segmento', limite: 1000 } } })),
    got(api.GET('/api/v1/analytics/consumo', { params: { query: { dimensao: 'subgrupo', limite: 1000 } } })),
  ])
  return {
    distributors: distinct(distributors.itens.map((d) => ({ id: String(d.distribuidora_id), name: d.distribuidora ?? String(d.distribuidora_id) }))),
    places: distinct(places.map((m) => ({ id: String(m.municipio_id), name: `${m.municipio} (${m.uf})` }))),
    segments: distinct(segments.itens.map((s) => ({ id: text(s.segmento_mercado_id), name: text(s.segmento_mercado) || text(s.segmento_mercado_id) }))),
    subgroups: distinct(subgroups.itens.map((s) => ({ id: text(s.subgrupo_tarifario_id), name: text(s.subgrupo_tarifario_id) }))),
  }
}

function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}

type Place = components['schemas']['Item_municipios']
let places: Promise<Place[]> | null = null

/** Every município of every year, asked once. */
export function everyPlace(): Promise<Place[]> {
  places ??= readPlaces().catch((error: unknown) => {
    places = null
    throw error
  })
  return places
}

async function readPlaces(): Promise<Place[]> {
  const found: Place[] = []
  let cursor: string | undefined
  do {
    const page = await got(api.GET('/api/v1/municipios', { params: { query: { limite: 1000, cursor } } }))
    found.push(...page.itens.filter((m) => m.municipio_id))
    cursor = page.cursor ?? undefined
  } while (cursor)
  return found
}

function distinct(choices: Choice[]): Choice[] {
  const known = new Map(choices.filter((c) => c.id).map((c) => [c.id, c]))
  return [...known.values()].sort((a, b) => a.name.localeCompare(b.name, 'pt-BR'))
}

/** The media type of a form that a list is saved in. */
const MEDIA = { csv: 'text/csv', xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' }

export type Form = keyof typeof MEDIA

async function page(address: string, form: Form, polygon: object | null): Promise<Response> {
  const answer = await send(
    new Request(new URL(address, location.origin), {
      method: polygon ? 'POST' : 'GET',
      headers: { Accept: MEDIA[form], ...(polygon && { 'Content-Type': 'application/json' }) },
      body: polygon && JSON.stringify(polygon),
    }),
  )
  if (!answer.ok) throw Problem.of(answer.status, await answer.json().catch(() => null))
  return answer
}

/**
 * One page of a list as a file.
 *
 * @param address below /api/v1, with its filters.
 * @param polygon to search in, if there is one.
 */
export async function onePage(address: string, form: Form, polygon: object | null): Promise<Blob> {
  return (await page(`/api/v1/${address}`, form, polygon)).blob()
}

/**
 * A whole list as one CSV, page after page.
 *
 * @param told is told how many pages have come.
 */
export async function wholeCsv(address: string, polygon: object | null, told: (pages: number) => void): Promise<Blob> {
  const parts: string[] = []
  let next: string | null = `/api/v1/${address}`
  while (next) {
    const answer: Response = await page(next, 'csv', polygon)
    const text = await answer.text()
    parts.push(parts.length ? text.slice(text.indexOf('\n') + 1) : text)
    told(parts.length)
    next = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get('link') ?? '')?.[1] ?? null
  }
  // Excel reads UTF-8 where a file begins so.
  return new Blob(['\uFEFF', ...parts], { type: MEDIA.csv })
}

/** Hand a file to the browser to save. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
