// What the address bar asks of leads: the API's own filters, and an area drawn on the map.

import type { paths } from '../../api/spec'
import { typed } from '../../words/numbers.ts'

export type Asked = NonNullable<paths['/api/v1/leads']['get']['parameters']['query']>
export type Position = [longitude: number, latitude: number]

const MANY = ['uf', 'distribuidora', 'municipio', 'segmento', 'subgrupo', 'camada', 'situacao', 'acompanhamento'] as const
const ONE = ['oferta', 'ordem', 'livre', 'geracao'] as const
const NUMBERS = ['score_min', 'energia_min', 'energia_max', 'demanda_min', 'demanda_max'] as const

/** What a filter is called where it may be what leaves nothing over. */
export const NAMES: Record<string, string> = {
  uf: 'UF',
  distribuidora: 'distribuidora',
  municipio: 'município',
  segmento: 'segmento',
  subgrupo: 'subgrupo',
  camada: 'tensão',
  situacao: 'situação',
  oferta: 'oferta',
  acompanhamento: 'acompanhamento',
  livre: 'mercado livre',
  geracao: 'geração própria',
  score_min: 'score mínimo',
  energia_min: 'energia mínima',
  energia_max: 'energia máxima',
  demanda_min: 'demanda mínima',
  demanda_max: 'demanda máxima',
  area: 'área desenhada',
}

/** The API's query of an address; what it does not know is left out. */
export function asked(search: string): Asked {
  const given = new URLSearchParams(search)
  const query: Record<string, unknown> = {}
  for (const name of MANY) if (given.get(name)) query[name] = given.getAll(name)
  for (const name of ONE) if (given.get(name)) query[name] = given.get(name)
  for (const name of NUMBERS) {
    const value = typed(given.get(name))
    if (value !== undefined) query[name] = value
  }
  return query as Asked
}

/** The filters that an address sets, by name: the order is none. */
export function filled(search: string): string[] {
  const given = new URLSearchParams(search)
  return Object.keys(NAMES).filter((name) => given.get(name))
}

/** The corners of the area in an address, not closed; none: no area. */
export function area(search: string): Position[] | null {
  const text = new URLSearchParams(search).get('area')
  const corners = text?.split(' ').map((pair) => pair.split(',').map(Number) as Position)
  const whole = corners && corners.length >= 3 && corners.every((p) => p.length === 2 && p.every(Number.isFinite))
  return whole ? corners : null
}

/** Corners as an address keeps them: a metre is enough. */
export function writtenArea(corners: Position[]): string {
  return corners.map((p) => p.map((degrees) => Number(degrees.toFixed(5))).join(',')).join(' ')
}

export function polygon(corners: Position[]): { type: 'Polygon'; coordinates: Position[][] } {
  return { type: 'Polygon', coordinates: [[...corners, corners[0]!]] }
}
