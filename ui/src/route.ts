// The state of the page that is in its URL: everything after the question mark.
import { useEffect, useState } from 'preact/hooks'
import { Query, queryOf } from './api'

const changed = new EventTarget()

export function route(): URLSearchParams { return new URLSearchParams(location.search) }

export function useRoute(): URLSearchParams {
  const [text, set] = useState(location.search)
  useEffect(() => {
    const update = () => set(location.search)
    addEventListener('popstate', update)
    changed.addEventListener('route', update)
    return () => { removeEventListener('popstate', update); changed.removeEventListener('route', update) }
  }, [])
  return new URLSearchParams(text)
}

// go opens another page. replace leaves no entry in the history.
export function go(search: string, replace = false) {
  if (replace) history.replaceState(null, '', search || '/')
  else { history.pushState(null, '', search || '/'); scrollTo(0, 0) }
  changed.dispatchEvent(new Event('route'))
}

// change sets parts of the query, or removes them if they are ''.
export function change(q: Record<string, string | string[]>, replace = false) {
  go(with_(q), replace)
}

export function with_(q: Record<string, string | string[]>): string {
  const p = route()
  for (const [name, value] of Object.entries(q)) {
    p.delete(name)
    if (Array.isArray(value)) for (const one of value) p.append(name, one)
    else if (value !== '') p.set(name, value)
  }
  return '?' + p
}

export interface At { stack: string; pipeline: string; run: string }

export function at(p: URLSearchParams): At { return { stack: p.get('stack') ?? '', pipeline: p.get('pipeline') ?? '', run: p.get('run') ?? '' } }

export function toRun(a: At, more: Query = {}): string { return '?' + queryOf({ stack: a.stack, pipeline: a.pipeline, run: a.run, ...more }) }
