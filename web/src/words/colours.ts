// The stylesheet's colours for what is drawn on a canvas, in the scheme that the system wishes.

/** A variable of style.css as rgb(…). */
export function colour(name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(--${name})`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found
}

/** Calls back when the system changes between light and dark; returns how to stop. */
export function onScheme(change: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', change)
  return () => dark.removeEventListener('change', change)
}
