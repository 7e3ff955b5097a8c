// Who is signed in, and staying so. The tokens stay in memory: a reload signs in again.
//
// Belongs here: opening, renewing, closing a session, and what a request carries of it.
// Not here: requests of data (client.ts), the dialog (shell/SignIn.svelte).

import { Problem } from './problem'

type Tokens = { token_acesso: string; token_renovacao: string }

export const session = $state({
  /** Who is signed in; null: nobody, and the dialog asks. */
  name: null as string | null,
  /** Somebody was, and no longer is: the dialog says so. */
  expired: false,
})

let tokens: Tokens | null = null
let renewal: Promise<boolean> | null = null
let waiting: (() => void)[] = []

async function ask(path: string, body: object): Promise<Tokens> {
  const answer = await fetch(`/api/v1/sessoes${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => {
    throw Problem.lost()
  })
  const said = await answer.json().catch(() => null)
  if (!answer.ok) throw Problem.of(answer.status, said)
  return said as Tokens
}

export async function signIn(name: string, password: string): Promise<void> {
  tokens = await ask('', { nome: name, senha: password })
  session.name = name
  session.expired = false
  waiting.forEach((go) => go())
  waiting = []
}

export async function signOut(): Promise<void> {
  const last = tokens
  tokens = null
  session.name = null
  session.expired = false
  if (last) await fetch('/api/v1/sessoes/atual', { method: 'DELETE', headers: headers(last) }).catch(() => null)
}

function headers(of: Tokens): Record<string, string> {
  return { Authorization: `Bearer ${of.token_acesso}` }
}

/** What a request carries. */
export function credential(): Record<string, string> {
  return tokens ? headers(tokens) : {}
}

/** After a 401: renew once, else wait until somebody signs in. */
export async function renewed(): Promise<void> {
  renewal ??= renew().finally(() => (renewal = null))
  if (await renewal) return
  session.expired ||= session.name !== null
  session.name = null
  await new Promise<void>((resolve) => waiting.push(resolve))
}

async function renew(): Promise<boolean> {
  if (!tokens) return false
  try {
    tokens = await ask('/renovacao', { token_renovacao: tokens.token_renovacao })
    return true
  } catch (error) {
    if (error instanceof Problem && error.status === 0) throw error
    tokens = null
    return false
  }
}
