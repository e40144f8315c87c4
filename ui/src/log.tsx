// The log of an attempt: it follows the attempt while it runs. Only the visible lines are in the document.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { get, Line, listen } from './api'
import { At, change } from './route'
import { css, plain, spans } from './ansi'
import { Problem } from './parts'
import { plural } from './format'

const lineHeight = 19
const maxKept = 50_000

interface Log { lines: Line[]; total: number }

// add adds lines to those that are there. A line with the number of the last one replaces it: it was still being written.
function add(log: Log, more: Line[]): Log {
  const lines = log.lines.slice(log.lines.length + more.length > maxKept ? more.length : 0)
  for (const l of more) {
    if (lines.length && lines[lines.length - 1].n === l.n) lines[lines.length - 1] = l
    else lines.push(l)
  }
  return { lines, total: Math.max(log.total, lines.length ? lines[lines.length - 1].n : 0) }
}

export function LogView({ at, step, attempt, p }: { at: At; step: string; attempt: number; p: URLSearchParams }) {
  const [log, setLog] = useState<Log>({ lines: [], total: 0 })
  const [error, setError] = useState<unknown>()
  const [open, setOpen] = useState(true)
  const [search, setSearch] = useState(p.get('find') ?? '')
  const [only, setOnly] = useState(false)
  const [follow, setFollow] = useState(!p.get('line'))
  const query = { ...at, step, attempt: attempt || '' }
  useEffect(() => {
    const waiting: Line[] = []
    let frame = 0
    const stop = listen('follow', query, {
      log: setLog,
      line: (l: Line) => {
        waiting.push(l)
        frame ||= requestAnimationFrame(() => { frame = 0; const more = waiting.splice(0); setLog(log => add(log, more)) })
      },
      end: () => setOpen(false),
      fault: setError,
    })
    return () => { stop(); cancelAnimationFrame(frame) }
  }, [step, attempt])
  const texts = useMemo(() => search ? log.lines.map(l => plain(l.t).toLowerCase()) : [], [log, !!search])
  const hits = useMemo(() => {
    const words = search.toLowerCase()
    return words ? log.lines.flatMap((_, i) => texts[i].includes(words) ? [i] : []) : []
  }, [texts, search])
  const shown = only && search ? hits.map(i => log.lines[i]) : log.lines
  const ref = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(400)
  const marked = Number(p.get('line') ?? 0)
  const [hit, setHit] = useState(0)
  useEffect(() => {
    const watch = new ResizeObserver(() => ref.current && setHeight(ref.current.clientHeight))
    watch.observe(ref.current!)
    return () => watch.disconnect()
  }, [])
  useEffect(() => { if (follow && !search && ref.current) ref.current.scrollTop = ref.current.scrollHeight }, [log, follow])
  const reveal = (index: number) => { if (ref.current) ref.current.scrollTop = Math.max(0, index * lineHeight - height / 2) }
  const found = useRef(false)
  useEffect(() => {
    const i = log.lines.findIndex(l => l.n === marked)
    if (!found.current && i >= 0) { found.current = true; reveal(i) }
  }, [log])
  const step_ = (by: number) => {
    if (!hits.length) return
    const next = (hit + by + hits.length) % hits.length
    setHit(next)
    setFollow(false)
    reveal(only ? next : hits[next])
  }
  const first = Math.max(0, Math.floor(top / lineHeight) - 20), last = Math.min(shown.length, Math.ceil((top + height) / lineHeight) + 20)
  const earliest = log.lines[0]?.n ?? 1
  return <section class="log-box">
    <div class="bar">
      <h2>Log</h2>
      <form class="filter" role="search" aria-label="Search the log" onSubmit={e => { e.preventDefault(); step_(1) }}>
        <input type="search" aria-label="Search the log" placeholder="search" value={search} onInput={e => { setSearch(e.currentTarget.value); setHit(-1) }} />
        {search ? <><span class="quiet" role="status">{plural(hits.length, 'line')}</span>
          <button type="button" onClick={() => step_(-1)} aria-label="Previous match">↑</button><button type="submit" aria-label="Next match">↓</button>
          <label class="check"><input type="checkbox" checked={only} onChange={e => setOnly(e.currentTarget.checked)} /> only these</label></> : null}
        {open ? <label class="check"><input type="checkbox" checked={follow} onChange={e => setFollow(e.currentTarget.checked)} /> follow</label> : null}
        <span class="quiet">{plural(log.total, 'line')}{open ? '' : ', ended'}</span>
      </form>
    </div>
    {error ? <Problem error={error} /> : null}
    {earliest > 1 ? <p><button type="button" onClick={() => get<Log>('log', { ...query, from: Math.max(1, earliest - 5000) }).then(l => setLog(now => ({ ...now, lines: [...l.lines.filter(x => x.n < earliest), ...now.lines] })), setError)}>Show earlier lines</button> <span class="quiet">The first lines are not shown.</span></p> : null}
    <div class="log" ref={ref} tabIndex={0} role="log" aria-live="off" aria-label={`Log of ${step}`} style={{ height: `${Math.min(600, Math.max(3, shown.length) * lineHeight + 20)}px` }}
      onScroll={e => {
        const el = e.currentTarget
        setTop(el.scrollTop)
        if (el.scrollHeight - el.scrollTop - el.clientHeight > 60 && log.lines.length * lineHeight > el.clientHeight) setFollow(false)
      }}>
      {!shown.length ? <p class="quiet">{open ? 'There are no lines yet.' : 'The log is empty.'}</p> : null}
      <div style={{ height: `${first * lineHeight}px` }} />
      {shown.slice(first, last).map(l => <div class={`line${l.n === marked ? ' marked' : ''}${hits.length && l === log.lines[hits[hit]] ? ' hit' : ''}`} key={l.n}>
        <a href={`?${new URLSearchParams([...p.entries()].filter(x => x[0] !== 'line').concat([['line', String(l.n)]]))}`} aria-label={`Link to line ${l.n}`}
          onClick={e => { if (e.ctrlKey || e.metaKey) return; e.preventDefault(); setFollow(false); change({ line: String(l.n) }, true) }}>{l.n}</a>
        <span class="text">{spans(l.t).map(s => <span style={css(s.style)}>{s.text}</span>)}</span>
      </div>)}
      <div style={{ height: `${(shown.length - last) * lineHeight}px` }} />
    </div>
  </section>
}
