import assert from 'node:assert/strict'
import { test } from 'node:test'
import { named } from './named.ts'

const PLACES = [
  { id: '4320909', name: 'Tapejara (RS)' },
  { id: '4127007', name: 'Tapejara (PR)' },
  { id: '4300901', name: 'Água Santa (RS)' },
]

test('a place is found by its name without the state, without case or accents, or by its code', () => {
  for (const typed of ['agua santa', 'ÁGUA SANTA', ' Água  Santa (RS) ', 'agua santa rs', 'Água Santa/RS', '4300901']) {
    assert.deepEqual(named(typed, PLACES), PLACES[2], typed)
  }
})

test('a name of several places names them, and the state tells which', () => {
  assert.equal(named('tapejara', PLACES), 'Há mais de um: Tapejara (RS), Tapejara (PR). Escolha um.')
  assert.deepEqual(named('tapejara pr', PLACES), PLACES[1])
})

test('a name of none is refused, with those that it is like', () => {
  assert.match(String(named('santa', PLACES)), /«santa» não é .* Quis dizer Água Santa \(RS\)\?/)
  assert.match(String(named('Tapejarra', PLACES)), /Quis dizer Tapejara \(RS\), Tapejara \(PR\)\?/)
  assert.match(String(named('Recife', PLACES)), /Há Tapejara \(RS\), Tapejara \(PR\), Água Santa \(RS\)\./)
})

test('before the list has come nothing is taken', () => {
  assert.match(String(named('tapejara', null)), /ainda não chegou/)
})
