// Which distributor and year a page of figures is about: in the address, else the newest of the first.

import { api, got } from '../api/client'
import type { components } from '../api/spec'
import { place } from '../router.svelte'

export type Safra = components['schemas']['Item_safras']

let all: Promise<Safra[]> | null = null

/** Published safras, the newest first of each distributor; asked once. */
export function safras(): Promise<Safra[]> {
  all ??= got(api.GET('/api/v1/safras', { params: { query: { limite: 1000 } } })).then(
    (page) => page.itens.sort((a, b) => (a.distribuidora ?? '').localeCompare(b.distribuidora ?? '', 'pt-BR') || b.ano! - a.ano!),
    (error: unknown) => {
      all = null
      throw error
    },
  )
  return all
}

/** The safra that the address names. */
export async function chosen(): Promise<Safra | null> {
  const given = new URLSearchParams(place.search).get('safra')
  const there = await safras()
  return there.find((s) => key(s) === given) ?? there[0] ?? null
}

export function key(safra: Safra): string {
  return `${safra.distribuidora_id}-${safra.ano}`
}

/** A safra as lists of the API are asked for it. */
export function of(safra: Safra): { distribuidora: number[]; ano: number[] } {
  return { distribuidora: [safra.distribuidora_id!], ano: [safra.ano!] }
}
