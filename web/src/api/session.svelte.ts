// Who is signed in, and staying so. The tokens are cookies that no script reads.
//
// Belongs here: opening, renewing, closing a session, who it is. Not here: requests of data
// (client.ts), the dialog (shell/SignIn.svelte).

import { Problem } from './problem'
import type { components } from './spec'

export type Me = components['schemas']['Me']

/** What another site's page cannot send. */
export const OURS = { 'X-Intel-Painel': '1' }
const PLACE = '/api/v1/sessao'

export const session = $state({
  /** Who is signed in; null: nobody, and the dialog asks. */
  me: null as Me | null,
  /** Whether it has been asked who is signed in. */
  known: false,
  /** Somebody was signed in, and no longer is: the dialog says so. */
  expired: false,
})

/** A token is renewed when so much of its life is over: maps and streams cannot ask again. */
const RENEWED_AT = 0.8

const DUE = 'intel-renovar-em'

/** What one window of this browser tells the others: that somebody signed in, or out. */
const windows = new BroadcastChannel('intel-sessao')
windows.onmessage = ({ data }: MessageEvent<'entrou' | 'saiu'>) => {
  if (data === 'saiu') left()
  else void resume()
}

let renewal: Promise<boolean> | null = null
let timer: ReturnType<typeof setTimeout> | undefined
let waiting: (() => void)[] = []

async function ask(method: string, path: string, body?: object): Promise<Response> {
  const headers = { ...OURS, 'Content-Type': 'application/json' }
  return fetch(path, { method, headers, body: body && JSON.stringify(body) }).catch(() => {
    throw Problem.lost()
  })
}

/** Who the cookies say it is. */
async function whoAmI(): Promise<Me | null> {
  const answer = await ask('GET', '/api/v1/eu')
  if (answer.ok) return (await answer.json()) as Me
  if (answer.status === 401) return null
  throw Problem.of(answer.status, await answer.json().catch(() => null))
}

function entered(me: Me): void {
  session.me = me
  session.expired = false
  waiting.forEach((go) => go())
  waiting = []
}

/** At the start: who is still signed in from before. */
export async function resume(): Promise<void> {
  try {
    const me = (await whoAmI()) ?? ((await renew()) ? await whoAmI() : null)
    if (!me) return
    renewInTime()
    entered(me)
  } finally {
    session.known = true
  }
}

export async function signIn(name: string, password: string): Promise<void> {
  const answer = await ask('POST', PLACE, { nome: name, senha: password })
  if (answer.ok) await opened(answer)
  else throw Problem.of(answer.status, await answer.json().catch(() => null))
  const me = await whoAmI()
  if (!me) throw new Problem(401, 'O navegador não guardou a sessão', 'Os cookies desta página estão desligados.', 'Permita-os e entre de novo.')
  entered(me)
  windows.postMessage('entrou')
}

async function opened(answer: Response): Promise<void> {
  const { expira_em_s } = (await answer.json()) as components['schemas']['Opened']
  localStorage.setItem(DUE, String(Date.now() + 1000 * RENEWED_AT * expira_em_s))
  renewInTime()
}

/** When the token is to be renewed, as all windows of this browser know it. */
function due(): number {
  return Number(localStorage.getItem(DUE))
}

function renewInTime(): void {
  clearTimeout(timer)
  timer = setTimeout(() => void renew().catch(() => false), Math.max(0, due() - Date.now()))
}

export async function signOut(): Promise<void> {
  await ask('DELETE', PLACE)
  left()
  windows.postMessage('saiu')
}

function left(): void {
  clearTimeout(timer)
  session.me = null
  session.expired = false
}

/** After a 401: renew once, else wait until somebody signs in. */
export async function renewed(): Promise<void> {
  renewal ??= renew().finally(() => (renewal = null))
  if (await renewal) return
  session.expired ||= session.me !== null
  session.me = null
  await new Promise<void>((resolve) => waiting.push(resolve))
}

/** Renew, one window at a time: the same token twice would end the session as a stolen one. */
async function renew(): Promise<boolean> {
  const known = due()
  const alone = async (): Promise<boolean> => {
    if (due() !== known) {
      renewInTime() // Another window has.
      return true
    }
    const answer = await ask('POST', `${PLACE}/renovacao`)
    if (answer.ok) await opened(answer)
    return answer.ok
  }
  // Only where the page came by https or from this machine are there locks.
  return navigator.locks ? navigator.locks.request('intel-renovacao', alone) : alone()
}
