// What the API refuses of a form, by the form's own names.

export interface Refused {
  onde?: string
  motivo?: string
}

/** What forms call the API's fields, where that is not the field's own name. */
const FIELDS: Record<string, string> = {
  potencia_interna_w: 'Potência interna',
  potencia_externa_w: 'Potência externa',
  limiar_luz: 'Limiar de luz',
  limiar_distancia_cm: 'Limiar de distância',
  periodo_s: 'Período entre leituras, em segundos',
  tarifa_brl_kwh: 'Tarifa',
  resultado_em: 'Em que dia',
  situacao: 'Situação',
  responsavel: 'Responsável',
  observacao: 'Observação',
  titulo: 'Título',
  nivel: 'Em quê',
  metrica: 'O que se mede',
  janela_meses: 'Meses que se olham',
  histerese: 'Volta até fechar',
  destinatarios: 'A quem avisa',
  distribuidora_id: 'Só a distribuidora',
  consulta: 'Busca',
  score_min: 'Score mínimo',
  energia_min: 'Energia mínima',
  energia_max: 'Energia máxima',
  demanda_min: 'Demanda mínima',
  demanda_max: 'Demanda máxima',
}

/** The name of a field of "body.periodo_s" or "query.score_min", as a person reads it. */
function field(where: string | undefined): string {
  const name = where?.split('.').findLast((part) => !/^\d+$/.test(part)) ?? ''
  return FIELDS[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ')
}

/** "Período: no máximo 10; Nome: falta" of what does not serve; nothing where no reason is said. */
export function refused(errors: Refused[]): string {
  const said = errors.filter((e) => e.motivo).map((e) => `${field(e.onde)}: ${e.motivo}`)
  return said.join('; ')
}
