import assert from 'node:assert/strict'
import { test } from 'node:test'
import { area, asked, filled, polygon, writtenArea } from './asked.ts'

test('an address becomes the filters of the API, and what it does not know is left out', () => {
  assert.deepEqual(asked('?oferta=backup&municipio=4320909&municipio=4309803&score_min=40,5&outro=1&energia_min=x'), {
    oferta: 'backup',
    municipio: ['4320909', '4309803'],
    score_min: 40.5,
  })
})

test('an area survives the address bar to the metre', () => {
  const corners: [number, number][] = [[-52.0144551, -28.0720979], [-51.9, -28.1], [-51.9, -28]]
  const back = area(`?area=${encodeURIComponent(writtenArea(corners))}`)
  assert.deepEqual(back, [[-52.01446, -28.0721], [-51.9, -28.1], [-51.9, -28]])
  const ring = polygon(back!).coordinates[0]!
  assert.deepEqual(ring[0], ring.at(-1))
})

test('half an area is none', () => {
  for (const text of ['', '?area=', '?area=1,2 3,4', '?area=1,2 3,4 5', '?area=a,b c,d e,f']) assert.equal(area(text), null)
})

test('the order is no filter that could be loosened', () => {
  assert.deepEqual(filled('?ordem=-energia&oferta=backup&area=1,2 3,4 5,6'), ['oferta', 'area'])
})
