import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { OFFERS } from './names.ts'

test('offers are called as the seed calls them, and so the reports', () => {
  const seed = readFileSync(new URL('../../../seeds/oferta.csv', import.meta.url), 'utf-8').trim().split('\n').slice(1)
  assert.deepEqual(Object.entries(OFFERS), seed.map((line) => line.split(',').slice(0, 2)))
})
