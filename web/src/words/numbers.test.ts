import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOTHING, count, day, energy, measure, month, number, share, typed } from './numbers.ts'

test('a figure that is not there is a dash, never a zero', () => {
  for (const said of [number(null), number(NaN), energy(undefined), share(null), measure(null, 'kW'), day(null)]) assert.equal(said, NOTHING)
  assert.equal(number(0), '0')
  assert.equal(energy(0), '0 kWh')
})

test('numbers have a point between thousands and a comma before decimals', () => {
  assert.equal(number(1234567.891, 2), '1.234.567,89')
  assert.equal(share(0.0937), '9,4 %')
  assert.deepEqual([number(-0.001, 2), number(-0), number(-0.01, 2)], ['0,00', '0', '-0,01'])
})

test('energy comes in the unit that leaves it readable, with its sign', () => {
  assert.equal(energy(29018), '29.018 kWh')
  assert.equal(energy(3489400), '3.489,4 MWh')
  assert.equal(energy(21071844), '21,07 GWh')
  assert.equal(energy(-21071844), '-21,07 GWh')
})

test('a day is not shifted by a time zone', () => {
  assert.equal(day('2027-11-25'), '25/11/2027')
  assert.equal(day('2026-11-30T02:30:00+00:00'), '29/11/2026')
  assert.equal(month('2025-01-01'), 'jan/25')
})

test('one is singular, none and many plural', () => {
  assert.deepEqual([0, 1, 2000].map((n) => count(n, 'lead', 'leads')), ['0 leads', '1 lead', '2.000 leads'])
})

test('what is typed with a comma is a number, and what is none is nothing', () => {
  assert.deepEqual([typed('40,5'), typed(''), typed('abc'), typed(null)], [40.5, undefined, undefined, undefined])
})
