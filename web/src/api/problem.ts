// What went wrong with a request, in the API's own words (RFC 9457) or in ours.

import { refused, type Refused } from './fields'

type Said = { title?: string; detail?: string; remedio?: string; pedido?: string; erros?: Refused[] }

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly remedy: string,
    readonly request: string | null = null,
  ) {
    super(detail)
  }

  /** Whether asking again as it is may help. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 429
  }

  static lost(): Problem {
    return new Problem(0, 'Sem conexão com a API', 'O pedido não chegou.', 'O que está na tela fica; tente de novo quando a rede voltar.')
  }

  static from(error: unknown): Problem {
    if (error instanceof Problem) return error
    return new Problem(500, 'O painel falhou', String(error), 'Recarregue a página.')
  }

  static of(status: number, body: unknown): Problem {
    const said = (body ?? {}) as Said
    const errors = refused(said.erros ?? [])
    return new Problem(
      status,
      said.title ?? `A API respondeu ${status}`,
      errors || said.detail || 'Sem mais detalhes.',
      errors ? 'Corrija e envie de novo.' : (said.remedio ?? 'Tente de novo.'),
      said.pedido ?? null,
    )
  }
}
