// What somebody typed as one of the things there are to choose from. Not here: asking what there is (lists.ts).

export interface Choice {
  id: string
  name: string
}

const SHOWN = 4
/** Letters at the beginning that make one name like another. */
const LIKE = 3

/** Letters and digits alone: case, accents and signs tell no place from another. */
export function bare(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, ' ').trim()
}

/** A name without what stands after it in brackets: its state. */
function short(name: string): string {
  return name.replace(/ \([^)]*\)$/, '')
}

/**
 * The one choice that is meant: by its id, its whole name, or its name without the state where that is enough.
 *
 * @param choices null: they have not come yet.
 * @returns the choice, or a sentence that says why there is none.
 */
export function named(typed: string, choices: Choice[] | null): Choice | string {
  if (!choices) return 'A lista de municípios ainda não chegou: espere um instante.'
  const wanted = bare(typed)
  const whole = choices.filter((one) => one.id === wanted || bare(one.name) === wanted)
  const same = whole.length ? whole : choices.filter((one) => bare(short(one.name)) === wanted)
  if (same.length === 1) return same[0]!
  if (same.length) return `Há mais de um: ${listed(same)}. Escolha um.`
  const like = wanted.length >= LIKE ? choices.filter((one) => bare(one.name).includes(wanted) || bare(one.name).startsWith(wanted.slice(0, LIKE))) : []
  return `«${typed}» não é município com unidades aqui. ${like.length ? `Quis dizer ${listed(like)}?` : `Há ${listed(choices)}.`}`
}

function listed(choices: Choice[]): string {
  const names = choices.slice(0, SHOWN).map((one) => one.name)
  return names.join(', ') + (choices.length > SHOWN ? ` e mais ${choices.length - SHOWN}` : '')
}
