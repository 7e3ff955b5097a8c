// The pages, in the order of the menu, and which one an address shows.

import type { Component } from 'svelte'

type Made = Promise<{ default: Component<{ id?: string }> }>

export interface Page {
  path: string
  name: string
  load: () => Made
}

export const PAGES: Page[] = [
  { path: '/', name: 'Hoje', load: () => import('./hoje/Hoje.svelte') as Made },
  { path: '/leads', name: 'Leads', load: () => import('./leads/Leads.svelte') as Made },
  { path: '/mercado', name: 'Mercado', load: () => import('./mercado/Mercado.svelte') as Made },
  { path: '/qualidade', name: 'Qualidade', load: () => import('./qualidade/Qualidade.svelte') as Made },
  { path: '/perdas', name: 'Perdas', load: () => import('./perdas/Perdas.svelte') as Made },
  { path: '/previsoes', name: 'Previsões', load: () => import('./previsoes/Previsoes.svelte') as Made },
  { path: '/anomalias', name: 'Anomalias', load: () => import('./anomalias/Anomalias.svelte') as Made },
  { path: '/aicss', name: 'AICSS', load: () => import('./aicss/Aicss.svelte') as Made },
  { path: '/alertas', name: 'Alertas', load: () => import('./alertas/Alertas.svelte') as Made },
  { path: '/relatorios', name: 'Relatórios', load: () => import('./relatorios/Relatorios.svelte') as Made },
  { path: '/operacao', name: 'Operação', load: () => import('./operacao/Operacao.svelte') as Made },
]

const LEAD = /^\/leads\/([0-9a-f-]{36})$/
const ONE: Page = { path: '/leads', name: 'Lead', load: () => import('./lead/Lead.svelte') as Made }

/** The page of an address, and the lead that it names; null: there is no such page. */
export function pageOf(path: string): { page: Page; id?: string } | null {
  const id = LEAD.exec(path)?.[1]
  if (id) return { page: ONE, id }
  const page = PAGES.find((one) => one.path === (path.replace(/\/$/, '') || '/'))
  return page ? { page } : null
}
