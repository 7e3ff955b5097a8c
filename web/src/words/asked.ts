// What an address asks for, in words. Not here: a list's own filters (pages/leads/asked.ts).

const NAMES: Record<string, string> = {
  safra: 'safra',
  por: 'por',
  dimensao: 'por',
  tipo: 'tipo',
  estado: 'alertas',
  serie: 'série',
  circuito: 'alimentador',
  importacoes: 'importações',
}

/** "safra 401-2024, por bairro" of ?safra=401-2024&por=bairro; of no query, what a page shows by itself. */
export function described(search: string): string {
  const given = [...new URLSearchParams(search)].filter(([name, value]) => value && name in NAMES)
  return given.map(([name, value]) => `${NAMES[name]} ${value.replaceAll('_', ' ')}`).join(', ') || 'sem nada escolhido'
}
