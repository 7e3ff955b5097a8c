// Where the panel stands: the address bar, and going elsewhere.
//
// Belongs here: the address. Not here: which page an address shows (pages/index.ts).

type Value = string | number | boolean | null | undefined
type Values = Record<string, Value | readonly Value[]>

export const place = $state({
  path: location.pathname,
  search: location.search,
  /** The list of leads as it was last looked at: from a lead one goes back to it. */
  leads: '/leads',
})

/** How far down the page stood that was left last: once it is gone, nobody can ask. */
export const behind = { scroll: 0 }

/** A query as the address bar has it; empty values are left out. */
export function search(values: Values): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === '' || value === false) continue
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  const text = query.toString()
  return text && `?${text}`
}

export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', address)
  else history.pushState(null, '', address)
  follow()
}

function follow(): void {
  behind.scroll = scrollY
  place.path = location.pathname
  place.search = location.search
  if (place.path === '/leads') place.leads = place.path + place.search
}
follow()

/** Links of the panel change the page without loading it anew. */
function onclick(event: MouseEvent): void {
  const link = (event.target as Element).closest('a')
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey
  if (!link || !plain || link.target || link.hasAttribute('download') || event.defaultPrevented) return
  const to = new URL(link.href)
  if (to.origin !== location.origin || to.pathname.startsWith('/api/') || to.hash) return
  event.preventDefault()
  go(to.pathname + to.search)
}

export function watch(): () => void {
  addEventListener('popstate', follow)
  document.addEventListener('click', onclick)
  return () => {
    removeEventListener('popstate', follow)
    document.removeEventListener('click', onclick)
  }
}
