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
