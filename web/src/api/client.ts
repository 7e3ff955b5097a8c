// The API as functions, typed by its own specification (spec.d.ts, which `make painel` writes).
//
// Belongs here: sending, signing in anew, saying what failed. Not here: which page asks what.

import createClient from 'openapi-fetch'
import { lost, reached } from './network.svelte'
import { Problem } from './problem'
import { OURS, renewed } from './session.svelte'
import type { paths } from './spec'

/** Send a request; without a session it waits until there is one. */
export async function send(request: Request): Promise<Response> {
  for (;;) {
    const own = request.clone()
    for (const [name, value] of Object.entries(OURS)) own.headers.set(name, value)
    const answer = await fetch(own).catch((error: unknown) => {
      if (own.signal.aborted) throw error
      lost()
      throw Problem.lost()
    })
    reached()
    if (answer.status !== 401) return answer
    await renewed()
  }
}

export const api = createClient<paths, 'application/json'>({ baseUrl: location.origin, fetch: send })

/** The data of an answer, or a Problem thrown. */
export async function got<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer
  if (!response.ok) throw Problem.of(response.status, error)
  return data as T
}
