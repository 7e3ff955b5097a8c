// The parts of one lead, which the API gives as the marts' rows; what the page reads of them.

import type { components } from '../../api/spec'
import type { Series } from '../../charts/series'
import { month, MONTHS } from '../../words/numbers'

type Lead = components['schemas']['Item_leads']
type Score = components['schemas']['Item_scores']
type Maybe = number | null

export interface Month {
  mes: number
  energia_total: Maybe
  energia_ponta: Maybe
  demanda_total: Maybe
  demanda_contratada: Maybe
  dic: Maybe
  fic: Maybe
}

export interface Criterion {
  criterio: string
  valor: Maybe
  unidade: string | null
  valor_normalizado: Maybe
  peso: number
  contribuicao: number
}

export interface Size {
  via: string | null
  potencia_kw: Maybe
  capacidade_kwh: Maybe
  investimento_brl: Maybe
  economia_brl_ano: Maybe
  payback_anos: Maybe
}

export interface Forecast {
  competencia: string
  media: Maybe
  inferior_80: Maybe
  superior_80: Maybe
  inferior_95: Maybe
  superior_95: Maybe
  modelo: string
  treinado_ate: string
}

export interface Company {
  ordem: number
  cnpj: string
  razao_social: string | null
  nome_fantasia: string | null
  confianca: string
  escore: number
  situacao: string | null
  cnae: string | null
  porte: string | null
  faturamento_faixa: string | null
  endereco: string | null
  cep: string | null
  telefone?: string | null
  email?: string | null
}

export interface Whole {
  lead: Lead | null
  detalhe: Record<string, string | number | boolean | null>
  meses: Month[]
  scores: (Score & { criterios: Criterion[]; tamanho: Size | null })[]
  ofertas_excluidas: { oferta: string; motivo: string }[]
  custos: { modalidade: string; mes: number; total_brl: number; distribuidora_brl: Maybe; demanda_brl: Maybe; ultrapassagem_brl: Maybe; ponta_brl: Maybe; fora_ponta_brl: Maybe; ressalva: string | null }[]
  conjunto: Record<string, number | null> | null
  perfil: { perfil: string; grupo: string } | null
  previsao: Forecast[]
  historico: components['schemas']['Item_diferencas'][]
  empresas: Company[]
  anomalias: { mes: Maybe; tipo: string; evidencia: string; escore: number }[]
  enriquecimento: { etapa: string; resultado: string; detalhes: string | null; em: string }[]
  vizinhos: { uc_id: string; segmento_mercado: string | null; energia_anual_kwh: Maybe; melhor_oferta: string | null; melhor_score: Maybe; distancia_m: number }[]
}

/** The year's energy by month; where peak energy is only estimated, its share of each month. */
export function energySeries(whole: Whole): Series[] {
  const share = whole.lead?.participacao_ponta ?? null
  const measured = whole.meses.some((m) => m.energia_ponta !== null)
  const peak = whole.meses.map((m) => m.energia_ponta ?? (share !== null && m.energia_total !== null ? m.energia_total * share : null))
  const total: Series = { name: 'Energia', values: whole.meses.map((m) => m.energia_total), origin: 'medido', colour: 's1', bars: true }
  if (peak.every((v) => v === null)) return [total]
  return [total, { name: 'Na ponta', values: peak, origin: measured ? 'medido' : 'estimado', colour: 's2', bars: true }]
}

export function demandSeries(whole: Whole): Series[] {
  return [
    { name: 'Demanda medida', values: whole.meses.map((m) => m.demanda_total), origin: 'medido', colour: 's1', bars: true },
    { name: 'Contratada', values: whole.meses.map((m) => m.demanda_contratada), origin: 'medido', colour: 's3', dashed: true },
  ]
}

/** The last year as it was and the next as it is foreseen, with its intervals. */
export function forecastSeries(whole: Whole): { steps: string[]; series: Series[] } {
  const year = Number(whole.previsao[0]?.treinado_ate.slice(0, 4))
  const past = whole.meses.map((m) => m.energia_total)
  const before = (values: Maybe[]): Maybe[] => [...past.map(() => null), ...values]
  const f = whole.previsao
  return {
    steps: [...whole.meses.map((m) => `${MONTHS[m.mes - 1]}/${String(year).slice(2)}`), ...f.map((p) => month(p.competencia))],
    series: [
      { name: 'Medida', values: [...past, ...f.map(() => null)], origin: 'medido', colour: 's1' },
      { name: 'Prevista', values: before(f.map((p) => p.media)), origin: 'previsto', colour: 's3', dashed: true },
      { name: '80 %: até', values: before(f.map((p) => p.superior_80)), origin: 'previsto', colour: 's3', thin: true, under: 3 },
      { name: '80 %: de', values: before(f.map((p) => p.inferior_80)), origin: 'previsto', colour: 's3', thin: true },
      { name: '95 %: até', values: before(f.map((p) => p.superior_95)), origin: 'previsto', colour: 's3', thin: true, under: 5 },
      { name: '95 %: de', values: before(f.map((p) => p.inferior_95)), origin: 'previsto', colour: 's3', thin: true },
    ],
  }
}
