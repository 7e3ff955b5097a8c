// Devices' states as the API tells them (server-sent events), from the first on.

import { lost, reached } from '../../api/network.svelte'
import { Problem } from '../../api/problem'
import { renewed } from '../../api/session.svelte'

export interface Device {
  dispositivo_id: string
  ultima_leitura_em: string | null
  ultima_chegada_em: string | null
  ultima_luz: number | null
  ultima_distancia_cm: number | null
  ultimo_dia: string | null
  leituras_do_dia: number | null
  energia_do_dia_kwh: number | null
  /** What is set of it now, as PUT /aicss/config has it. */
  configuracao?: Record<string, unknown> | null
  alertas: { tipo: string; evidencia: { motivo?: string } | null }[]
}

const ADDRESS = '/api/v1/aicss/eventos'
const PAUSE_MS = 2000

/** Listen until the returned function is called. */
export function live(told: (devices: Device[]) => void, failed: (problem: Problem) => void): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false

  function open(): void {
    if (over) return
    source = new EventSource(ADDRESS)
    source.addEventListener('estado', (event) => {
      reached()
      told(JSON.parse((event as MessageEvent<string>).data) as Device[])
    })
    // The browser says nothing of why: a short question does.
    source.onerror = () => {
      source?.close()
      void ask()
    }
  }

  async function ask(): Promise<void> {
    if (over) return
    const answer = await fetch('/api/v1/aicss/status').catch(() => null)
    if (!answer) lost()
    else if (answer.status === 401) await renewed()
    else if (!answer.ok) {
      failed(Problem.of(answer.status, await answer.json().catch(() => null)))
      return
    }
    timer = setTimeout(open, PAUSE_MS)
  }

  open()
  return () => {
    over = true
    clearTimeout(timer)
    source?.close()
  }
}
