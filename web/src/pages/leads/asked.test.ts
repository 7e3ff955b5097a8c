import assert from 'node:assert/strict'
import { test } from 'node:test'
import { area, asked, fileName, filled, inWords, polygon, writtenArea } from './asked.ts'

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

const CHOICES = { distributors: [], places: [{ id: '4300901', name: 'Água Santa (RS)' }], segments: [], subgroups: [] }

test('without an offer leads go by energy: scores of several offers are not compared', () => {
  assert.equal(asked('').ordem, '-energia')
  assert.equal(asked('?ordem=-score').ordem, '-energia')
  assert.equal(asked('?ordem=-dic').ordem, '-dic')
  assert.equal(asked('?oferta=backup').ordem, undefined)
})

test('filters are said in words, by the names of what was chosen', () => {
  assert.equal(inWords('?oferta=backup&municipio=4300901&score_min=40&area=1,2 3,4 5,6', CHOICES), 'município Água Santa (RS); oferta Backup; score mínimo 40; área desenhada')
  assert.equal(inWords('?ordem=-dic', null), 'sem filtros')
})

test('a file is called by its offer, its município and its day', () => {
  assert.equal(fileName('?oferta=backup&municipio=4300901', CHOICES, '2026-11-30', 'csv'), 'leads-backup-agua-santa-rs-2026-11-30.csv')
  assert.equal(fileName('', CHOICES, '2026-11-30', 'xlsx'), 'leads-todas-todos-2026-11-30.xlsx')
})
