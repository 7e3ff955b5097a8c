// What a page asks of the API: the answer, kept on the screen while the next one comes or fails.

import { untrack } from 'svelte'
import { network } from './network.svelte'
import { Problem } from './problem'

export class Loaded<T> {
  data = $state.raw<T | null>(null)
  problem = $state.raw<Problem | null>(null)
  loading = $state(true)
  #asked = $state(0)

  /**
   * @param ask reads whatever state it depends on before its first await: a change asks again.
   */
  constructor(ask: () => Promise<T>) {
    let newest = 0
    $effect(() => {
      void this.#asked
      const mine = ++newest
      const asked = ask()
      this.loading = true
      asked.then(
        (data) => mine === newest && this.#end(data, null),
        (error: unknown) => mine === newest && this.#end(this.data, Problem.from(error)),
      )
    })
    // What failed for want of the network asks again when it is back.
    $effect(() => {
      void network.recovered
      untrack(() => this.problem?.status === 0 && this.again())
    })
  }

  #end(data: T | null, problem: Problem | null): void {
    this.data = data
    this.problem = problem
    this.loading = false
  }

  again = (): void => {
    this.#asked += 1
  }
}
