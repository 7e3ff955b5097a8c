// What codes are called on the screen. Names of seeds (segments, classes) come with the data.

export const OFFERS = {
  migracao: 'Migração ao mercado livre',
  arbitragem: 'Bateria para a ponta',
  backup: 'Backup',
  gtd: 'Apoio à rede (GTD)',
  eficiencia: 'Eficiência',
} as const

export type Offer = keyof typeof OFFERS

export function offer(id: string | null | undefined): string {
  return id ? (OFFERS[id as Offer] ?? id) : '–'
}

export const LAYERS = { UCAT: 'Alta tensão', UCMT: 'Média tensão', UCBT: 'Baixa tensão' } as const

export const STATUSES = {
  novo: 'Novo',
  em_contato: 'Em contato',
  proposta: 'Proposta',
  ganho: 'Ganho',
  perdido: 'Perdido',
  descartado: 'Descartado',
} as const

export type Status = keyof typeof STATUSES

/** By what was last said, as a list's filter. */
export const STANDINGS = { nenhum: 'Nada se disse ainda', ...STATUSES } as const

export const ROLES = { leitor: 'leitura', comercial: 'comercial', admin: 'administração', parceiro: 'parceiro', dispositivo: 'dispositivo' } as const

export const CRITERIA: Record<string, string> = {
  energia_anual_kwh: 'Energia do ano',
  energia_ponta_kwh: 'Energia na ponta',
  energia_sobre_pares: 'Energia contra os pares',
  economia_brl_ano: 'Economia em R$',
  demanda_contratada_kw: 'Demanda contratada',
  demanda_maxima_kw: 'Demanda máxima',
  razao_demanda: 'Demanda contra o contrato',
  fator_carga: 'Fator de carga',
  participacao_ponta: 'Parte na ponta',
  sazonalidade: 'Sazonalidade',
  segmento_industrial: 'Indústria',
  area_estrategica: 'Área estratégica',
  inadimplencia_pct: 'Inadimplência na UF',
  criticidade: 'Quanto custa parar',
  dic_anual_h: 'DIC do ano',
  dic_sobre_conjunto: 'DIC contra o conjunto',
  fic_anual: 'FIC do ano',
  carregamento_rede: 'Carregamento da rede',
  geracao_propria: 'Geração própria',
}

const PROFILES: Record<string, string> = {
  medido: 'medido nos dois postos',
  estimado_curva: 'estimado pela curva de carga que a distribuidora declara',
  estimado_classe: 'estimado pela curva da classe',
}

export function profileOrigin(id: string | null | undefined): string {
  return id ? (PROFILES[id] ?? id) : 'sem perfil'
}

const PLACES: Record<string, string> = {
  uc: 'da própria unidade',
  ponto_notavel: 'do poste que a atende',
  municipio: 'um ponto dentro do município',
}

export function placeOrigin(id: string | null | undefined): string {
  return id ? (PLACES[id] ?? id) : 'sem lugar'
}

/** Words of codes, which have no accents, as they are written. */
const ACCENTED: Record<string, string> = {
  previsao: 'previsão',
  ingenuo: 'ingênuo',
  municipio: 'município',
  publica: 'pública',
  automatico: 'automático',
  exponencial: 'exponencial',
  cnae: 'CNAE',
  uc: 'unidade',
}

/** A code in capitals or with underlines as a person reads it. */
export function plain(text: string | null | undefined): string {
  if (!text) return '–'
  const words = text.replaceAll('_', ' ').replace(/\p{L}+/gu, (word) => ACCENTED[word] ?? word)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** A comparison as it is written by hand. */
export function comparison(operator: string | null | undefined): string {
  return { '>=': '≥', '<=': '≤' }[operator ?? ''] ?? operator ?? ''
}
