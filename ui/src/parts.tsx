// Small parts that all pages use.
import { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Fault, Status } from './api'
import { go } from './route'

const marks: Record<Status, string> = {
  succeeded: '✓', failed: '✗', running: '●', pending: '○', skipped: '⤼', cancelled: '⊘', timed_out: '⏱', lost: '?', damaged: '!',
}

export const statuses: Status[] = ['failed', 'timed_out', 'lost', 'damaged', 'running', 'pending', 'cancelled', 'skipped', 'succeeded']

export function word(s: Status): string { return s.replace('_', ' ') }

export function Badge({ status, cached, kept, asks }: { status: Status; cached?: boolean; kept?: boolean; asks?: boolean }) {
  const text = asks ? 'waits for approval' : cached ? 'cached' : kept ? 'kept' : word(status)
  return <span class={`badge ${asks ? 'asks' : status}`}><span class="mark" aria-hidden="true">{asks ? '!' : marks[status]}</span>{text}</span>
}

export function Link({ to, children, ...rest }: { to: string; children: ComponentChildren; class?: string; title?: string; 'aria-current'?: 'page' | undefined; 'aria-label'?: string }) {
  return <a href={to} {...rest} onClick={e => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return
    e.preventDefault()
    go(to)
  }}>{children}</a>
}

export function Problem({ error }: { error: unknown }) {
  const f = error as Fault
  return <div class="problem" role="alert"><strong>{f.message || String(error)}</strong>{f.hint ? <span> {f.hint}</span> : null}</div>
}

export function Loading() { return <p class="quiet" role="status">Loading…</p> }

// Command shows a command with a button that copies it.
export function Command({ text }: { text: string }) {
  const [copied, set] = useState(false)
  useEffect(() => { if (copied) { const t = setTimeout(() => set(false), 1500); return () => clearTimeout(t) } }, [copied])
  return <div class="command">
    <code tabIndex={0}>{text}</code>
    <button type="button" class="small" onClick={() => { navigator.clipboard.writeText(text).then(() => set(true), () => {}) }}>{copied ? 'Copied' : 'Copy'}</button>
  </div>
}

// useNow returns the time, every second while something runs.
export function useNow(running: boolean): number {
  const [now, set] = useState(Date.now())
  useEffect(() => {
    if (!running) return
    const t = setInterval(() => set(Date.now()), 1000)
    return () => clearInterval(t)
  }, [running])
  return now
}

// useLoad loads something, again whenever the key changes. What was loaded stays until the next answer.
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): { value?: T; error?: unknown } {
  const [state, set] = useState<{ value?: T; error?: unknown }>({})
  useEffect(() => {
    const stop = new AbortController()
    load(stop.signal).then(value => { if (!stop.signal.aborted) set({ value }) }, error => { if (!stop.signal.aborted) set({ error }) })
    return () => stop.abort()
  }, [key])
  return state
}
