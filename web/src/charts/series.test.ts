import assert from 'node:assert/strict'
import { test } from 'node:test'
import { biggest, decimals, spread } from './series.ts'

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

test('more series than colours: the smallest are added up as the others', () => {
  const rows = [...'abcdefgh'].flatMap((name, i) => [{ month: '01', name, kwh: i }, { month: '01', name, kwh: 1 }])
  const made = biggest(rows, (r) => r.month, (r) => r.name, (r) => r.kwh, 'medido')
  assert.deepEqual(made.series.map((s) => [s.name, s.values[0]]), [['h', 8], ['g', 7], ['f', 6], ['e', 5], ['d', 4], ['outras 3', 6]])
  assert.equal(new Set(made.series.map((s) => s.colour)).size, 6)
})

test('no two marks of an axis read the same', () => {
  assert.deepEqual([[0, 10, 20], [0, 0.5, 1], [0, 0.02, 0.04], [0, 0.001], [0, 2.5, 5], [7]].map(decimals), [0, 1, 2, 3, 1, 0])
})
