// Whether the API is within reach; while it is not, it is asked every few seconds.

const PAUSE_MS = 4000

export const network = $state({
  lost: false,
  /** Counts recoveries: what failed for want of the network asks again. */
  recovered: 0,
})

let timer: ReturnType<typeof setTimeout> | undefined

export function lost(): void {
  if (!network.lost) timer = setTimeout(probe, PAUSE_MS)
  network.lost = true
}

export function reached(): void {
  clearTimeout(timer)
  if (!network.lost) return
  network.lost = false
  network.recovered += 1
}

export async function probe(): Promise<void> {
  clearTimeout(timer)
  try {
    await fetch('/api/v1/saude', { cache: 'no-store' })
    reached()
  } catch {
    network.lost = true
    timer = setTimeout(probe, PAUSE_MS)
  }
}
