// What a page asks of the API: the answer, kept on the screen while the next one comes or fails.

import { untrack } from 'svelte'
import { place } from '../router.svelte'
import { network } from './network.svelte'
import { Problem } from './problem'

export class Loaded<T> {
  data = $state.raw<T | null>(null)
  problem = $state.raw<Problem | null>(null)
  loading = $state(true)
  /** The query of the address that the data were asked for: what a page says of them it reads here. */
  asked = $state.raw('')
  #asked = $state(0)

  /**
   * @param ask reads whatever state it depends on before its first await: a change asks again.
   */
  constructor(ask: () => Promise<T>) {
    let newest = 0
    $effect(() => {
      void this.#asked
      const mine = ++newest
      const search = untrack(() => place.search)
      const asked = ask()
      this.loading = true
      asked.then(
        (data) => mine === newest && this.#end(data, search, null),
        (error: unknown) => mine === newest && this.#end(this.data, this.asked, Problem.from(error)),
      )
    })
    // What failed for want of the network asks again when it is back.
    $effect(() => {
      void network.recovered
      untrack(() => this.problem?.status === 0 && this.again())
    })
  }

  #end(data: T | null, asked: string, problem: Problem | null): void {
    this.data = data
    this.asked = asked
    this.problem = problem
    this.loading = false
  }

  /** What is shown was asked for before: the answer to the newest question is not there. */
  get stale(): boolean {
    return this.data !== null && (this.loading || this.problem !== null)
  }

  again = (): void => {
    this.#asked += 1
  }
}
