// What codes are called on the screen. Names of seeds (segments, classes) come with the data.

/** As seeds/oferta.csv names them: pages and reports say the same. */
export const OFFERS = {
  migracao: 'Migração ao Mercado Livre',
  arbitragem: 'Arbitragem de ponta',
  backup: 'Backup',
  gtd: 'GTD',
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

/** What a rule of alerts measures, and its unit. */
export const METRICS: Record<string, [name: string, unit: string]> = {
  dic_anual_h: ['DIC médio do ano', 'h'],
  dic_sobre_limite: ['DIC médio ÷ limite de DEC do conjunto', 'vezes'],
  dic_sobre_mediana: ['DIC médio ÷ DIC mediano do conjunto', 'vezes'],
  fic_sobre_mediana: ['FIC médio ÷ FIC mediano do conjunto', 'vezes'],
  consumo_sobre_tipico: ['Pior mês de um cliente ÷ o seu mês típico', 'vezes'],
  queda_na_area: ['Queda do pior mês de uma área, contra o esperado', '%'],
  aicss_consumo_z: ['Consumo do dia de um dispositivo, contra os seus 28 de antes', 'desvios'],
  aicss_horas_calado: ['Há quanto um dispositivo não envia nada', 'h'],
  aicss_leituras_travadas: ['Leituras iguais no último dia de um dispositivo', 'leituras'],
  aicss_fora_da_faixa_pct: ['Leituras impossíveis no último dia de um dispositivo', '%'],
}

export function metric(id: string | null | undefined): [name: string, unit: string] {
  return METRICS[id ?? ''] ?? [plain(id), '']
}

/** What an alert or a forecast is about. */
export const LEVELS: Record<string, string> = { uc: 'cliente', municipio: 'município', conjunto: 'conjunto', circuito: 'alimentador', bairro: 'bairro', distribuidora: 'distribuidora', dispositivo: 'dispositivo', segmento: 'segmento', municipio_classe: 'município e classe' }

export function level(id: string | null | undefined): string {
  return LEVELS[id ?? ''] ?? plain(id)
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
