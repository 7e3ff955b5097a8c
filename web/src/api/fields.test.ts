import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refused } from './fields.ts'

test('a refused field is named as the form names it, with its limit', () => {
  const errors = [
    { onde: 'body.periodo_s', motivo: 'no máximo 86400' },
    { onde: 'body.nome', motivo: 'falta' },
    { onde: 'body.coordinates.0.3', motivo: 'falta' },
  ]
  assert.equal(refused(errors), 'Período entre leituras, em segundos: no máximo 86400; Nome: falta; Coordinates: falta')
  assert.equal(refused([{ onde: 'body.nome' }]), '')
})
