// Figures, dates and units as Portuguese writes them. A figure that is not there is a dash.

export const NOTHING = '–'

type Maybe = number | null | undefined

const made = new Map<number, Intl.NumberFormat>()

export function number(value: Maybe, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING
  let format = made.get(digits)
  if (!format) made.set(digits, (format = new Intl.NumberFormat('pt-BR', { maximumFractionDigits: digits, minimumFractionDigits: digits, signDisplay: 'negative' })))
  return format.format(value)
}

/** A figure with its unit; a thousand kWh and more in the unit that leaves it readable. */
export function energy(kwh: Maybe): string {
  if (kwh === null || kwh === undefined) return NOTHING
  const size = Math.abs(kwh)
  if (size >= 1e7) return `${number(kwh / 1e6, 2)} GWh`
  if (size >= 1e5) return `${number(kwh / 1e3, 1)} MWh`
  return `${number(kwh)} kWh`
}

export function measure(value: Maybe, unit: string, digits = 0): string {
  const text = number(value, digits)
  return text === NOTHING ? text : `${text} ${unit}`
}

/** A fraction of 0 to 1 as a percentage. */
export function share(fraction: Maybe, digits = 1): string {
  return measure(fraction === null || fraction === undefined ? fraction : fraction * 100, '%', digits)
}

export function money(brl: Maybe): string {
  return brl === null || brl === undefined ? NOTHING : `R$ ${number(brl)}`
}

const DAY = new Intl.DateTimeFormat('pt-BR', { dateStyle: 'short', timeZone: 'America/Sao_Paulo' })
const MOMENT = new Intl.DateTimeFormat('pt-BR', { dateStyle: 'short', timeStyle: 'short', timeZone: 'America/Sao_Paulo' })

/** A day, as ISO 8601 writes it: it has no time of the day, and no zone to shift it by. */
export function day(iso: string | null | undefined): string {
  if (!iso) return NOTHING
  return iso.length === 10 ? iso.split('-').reverse().join('/') : DAY.format(new Date(iso))
}

export function moment(iso: string | null | undefined): string {
  return iso ? MOMENT.format(new Date(iso)) : NOTHING
}

const TIME = new Intl.DateTimeFormat('pt-BR', { timeStyle: 'medium', timeZone: 'America/Sao_Paulo' })

/** The time of an instant, in São Paulo as everywhere here. */
export function time(instant: Date): string {
  return TIME.format(instant)
}

/** Today in São Paulo, as ISO 8601 writes it. */
export function today(): string {
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: 'America/Sao_Paulo' }).format(new Date())
}

export const MONTHS = ['jan', 'fev', 'mar', 'abr', 'mai', 'jun', 'jul', 'ago', 'set', 'out', 'nov', 'dez']

/** "jan/25" of 2025-01-01. */
export function month(iso: string): string {
  return `${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(2, 4)}`
}

export function count(n: number, one: string, many: string): string {
  return `${number(n)} ${n === 1 ? one : many}`
}

/** Text of a form field as a number, or nothing. */
export function typed(text: string | null): number | undefined {
  const value = text ? Number(text.replace(',', '.')) : NaN
  return Number.isFinite(value) ? value : undefined
}
