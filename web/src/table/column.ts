// A column of a table.

import type { Origin } from '../words/Mark.svelte'

export interface Column<Row> {
  name: string
  value: (row: Row) => string | number | boolean | null | undefined
  /** How the value is written, where not as it is. */
  said?: (row: Row) => string
  /** A figure with so many decimals, to the right. */
  digits?: number
  unit?: string
  origin?: Origin
  href?: (row: Row) => string | null | undefined
}
