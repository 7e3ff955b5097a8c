import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beyond, pageOf, thing } from './about.ts'

const NONE = { nivel: null, alvo: null, nome: null, distribuidora_id: 401, ano: 2024, uc_id: null, limite: 2 }

test('each alert leads to the page of what it is about', () => {
  assert.equal(pageOf({ ...NONE, nivel: 'uc', uc_id: 'abc' }), '/leads/abc')
  assert.equal(pageOf({ ...NONE, nivel: 'uc' }), null)
  assert.equal(pageOf({ ...NONE, nivel: 'circuito', alvo: '1 2' }), '/perdas?safra=401-2024&circuito=1%202')
  assert.equal(pageOf({ ...NONE, nivel: 'conjunto', alvo: '12722' }), '/qualidade?safra=401-2024&por=conjunto')
  assert.equal(pageOf({ ...NONE, nivel: 'dispositivo', alvo: 'sala' }), '/aicss')
})

test('what is farther beyond its limit is bigger, above or below it', () => {
  assert.ok(beyond(90, 5) > beyond(6, 5))
  assert.equal(beyond(1, 2), 0.5)
  assert.equal(beyond(null, 2), 0)
})

test('two units are told apart without their whole code', () => {
  assert.equal(thing({ ...NONE, nome: `UCBT ${'0'.repeat(58)}abc123 (Tapejara)` }), 'Baixa tensão …abc123 (Tapejara)')
})
