// What an alert is about: how far it is beyond its limit, what it is called, which page shows it.

import { LAYERS } from '../../words/names.ts'

export interface About {
  nivel: string | null
  alvo: string | null
  nome: string | null
  distribuidora_id: number | null
  ano: number | null
  uc_id?: string | null
  limite: number | null
}

/** How many times its limit a value is beyond it: alerts of several metrics are told apart by it. */
export function beyond(value: number | null, limit: number | null): number {
  return value === null || !limit ? 0 : Math.abs(value - limit) / Math.abs(limit)
}

/** The name of a thing, of a unit's long code only the end. */
export function thing(alert: Pick<About, 'nome' | 'alvo'>): string {
  const name = (alert.nome ?? alert.alvo ?? '').replace(/\b[0-9a-f]{58}([0-9a-f]{6})\b/, '…$1')
  return name.replace(/^UC[ABM]T\b/, (layer) => LAYERS[layer as 'UCAT'])
}

/** The page of a thing; null: there is none. */
export function pageOf({ nivel, alvo, distribuidora_id, ano, uc_id }: About): string | null {
  const safra = `safra=${distribuidora_id}-${ano}`
  if (nivel === 'uc') return uc_id ? `/leads/${uc_id}` : null
  if (nivel === 'municipio') return `/leads?municipio=${encodeURIComponent(alvo ?? '')}`
  if (nivel === 'conjunto') return `/qualidade?${safra}&por=conjunto`
  if (nivel === 'circuito') return `/perdas?${safra}&circuito=${encodeURIComponent(alvo ?? '')}`
  if (nivel === 'bairro') return `/mercado?${safra}&dimensao=bairro`
  if (nivel === 'distribuidora') return `/mercado?${safra}`
  return nivel === 'dispositivo' ? '/aicss' : null
}
