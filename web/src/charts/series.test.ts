import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spread } from './series.ts'

test('rows become a series for each name over the same steps, with gaps where nothing is', () => {
  const rows = [
    { month: '02', name: 'a', kwh: 2 },
    { month: '01', name: 'a', kwh: 1 },
    { month: '02', name: 'b', kwh: 0 },
  ]
  const made = spread(rows, (r) => r.month, (r) => r.name, (r) => r.kwh, 'medido')
  assert.deepEqual(made.steps, ['01', '02'])
  assert.deepEqual(made.series.map((s) => [s.name, s.values]), [['a', [1, 2]], ['b', [null, 0]]])
})
