// A series of a chart.

import type { Origin } from '../words/Mark.svelte'

export interface Series {
  name: string
  values: (number | null)[]
  origin: Origin
  /** A variable of style.css, s1 … s6. */
  colour: string
  bars?: boolean
  dashed?: boolean
  /** A border of a band: a thin line without points. */
  thin?: boolean
  /** The band between this series and the one of this index is filled. */
  under?: number
}

export const COLOURS = ['s1', 's2', 's3', 's4', 's5', 's6']

/** Rows as one series for each value of ``by``, over the steps in order; what is missing is a gap. */
export function spread<Row>(rows: Row[], step: (row: Row) => string, by: (row: Row) => string, value: (row: Row) => number | null, origin: Origin): { steps: string[]; series: Series[] } {
  const steps = [...new Set(rows.map(step))].sort()
  const names = [...new Set(rows.map(by))]
  const series = names.map((name, i) => {
    const found = new Map(rows.filter((row) => by(row) === name).map((row) => [step(row), value(row)]))
    return { name, origin, colour: COLOURS[i % COLOURS.length]!, values: steps.map((s) => found.get(s) ?? null) }
  })
  return { steps, series }
}

/** The biggest series by their sum, each in its colour; the rest as one. Rows of one step and name are added. */
export function biggest<Row>(rows: Row[], step: (row: Row) => string, by: (row: Row) => string, value: (row: Row) => number, origin: Origin): { steps: string[]; series: Series[] } {
  const sums = new Map<string, number>()
  for (const row of rows) sums.set(by(row), (sums.get(by(row)) ?? 0) + value(row))
  const order = [...sums.keys()].sort((a, b) => sums.get(b)! - sums.get(a)!)
  const own = order.length > COLOURS.length ? order.slice(0, COLOURS.length - 1) : order
  const rest = order.length > own.length ? [`outras ${order.length - own.length}`] : []
  const added = new Map<string, { step: string; name: string; value: number }>()
  for (const row of rows) {
    const name = own.includes(by(row)) ? by(row) : rest[0]!
    const one = added.get(`${name} ${step(row)}`) ?? { step: step(row), name, value: 0 }
    one.value += value(row)
    added.set(`${name} ${step(row)}`, one)
  }
  const made = spread([...added.values()], (r) => r.step, (r) => r.name, (r) => r.value, origin)
  const series = [...own, ...rest].map((name, i) => ({ ...made.series.find((s) => s.name === name)!, colour: COLOURS[i]! }))
  return { steps: made.steps, series }
}

/** How many decimals tell the marks of an axis apart. */
export function decimals(ticks: number[]): number {
  const step = ticks.length > 1 ? Math.abs(ticks[1]! - ticks[0]!) : 1
  return step >= 1 ? (Number.isInteger(step) ? 0 : 1) : Math.min(6, Math.ceil(-Math.log10(step) - 1e-9))
}
