// The steps of a run as a table. Only the visible rows are in the document, so 10,000 steps scroll well.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Run, Step } from './api'
import { At, change, toRun } from './route'
import { Badge, Link } from './parts'
import { plural, took } from './format'

const rowHeight = 36
const rank: Record<string, number> = { failed: 0, timed_out: 0, lost: 1, running: 2, cancelled: 4, pending: 5, skipped: 6, succeeded: 7 }

function order(a: Step, b: Step): number { return (a.asks ? 1 : rank[a.status]) - (b.asks ? 1 : rank[b.status]) }

function length(s: Step, now: number): number { return s.started_at ? (s.ended_at ? Date.parse(s.ended_at) : now) - Date.parse(s.started_at) : -1 }

export function StepTable({ run, at, p, now }: { run: Run; at: At; p: URLSearchParams; now: number }) {
  const search = p.get('search') ?? '', hide = p.get('hide') === 'succeeded', by = p.get('by') ?? 'status'
  const steps = useMemo(() => {
    const words = search.toLowerCase()
    const out = run.steps.filter(s => (!hide || s.status !== 'succeeded') && (!words || s.name.toLowerCase().includes(words) || s.status === words || s.why?.toLowerCase().includes(words)))
    if (by === 'status') return out.map((s, i) => ({ s, i })).sort((a, b) => order(a.s, b.s) || a.i - b.i).map(x => x.s)
    if (by === 'time') return [...out].sort((a, b) => length(b, now) - length(a, now))
    return out
  }, [run, search, hide, by])
  return <div>
    <form class="filter" role="search" aria-label="Filter the steps" onSubmit={e => e.preventDefault()}>
      <label>Search <input type="search" value={search} placeholder="name, status or reason" onInput={e => change({ search: e.currentTarget.value }, true)} /></label>
      <label>Order
        <select value={by} onChange={e => change({ by: e.currentTarget.value === 'status' ? '' : e.currentTarget.value }, true)}>
          <option value="status">failed first</option>
          <option value="pipeline">as in the pipeline</option>
          <option value="time">longest first</option>
        </select>
      </label>
      <label class="check"><input type="checkbox" checked={hide} onChange={e => change({ hide: e.currentTarget.checked ? 'succeeded' : '' }, true)} /> Hide succeeded</label>
      <span class="quiet" role="status">{steps.length === run.steps.length ? plural(steps.length, 'step') : `${steps.length.toLocaleString('en')} of ${plural(run.steps.length, 'step')}`}</span>
    </form>
    <Rows steps={steps} at={at} now={now} />
  </div>
}

// Rows draws the rows that are in view.
export function Rows({ steps, at, now }: { steps: Step[]; at: At; now: number }) {
  const ref = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(600)
  useEffect(() => {
    const box = ref.current!
    const watch = new ResizeObserver(() => setHeight(box.clientHeight))
    watch.observe(box)
    return () => watch.disconnect()
  }, [])
  const first = Math.max(0, Math.floor(top / rowHeight) - 10), last = Math.min(steps.length, Math.ceil((top + height) / rowHeight) + 10)
  return <div class="steps" role="table" aria-label="Steps" aria-rowcount={steps.length + 1}>
    <div role="rowgroup"><div role="row" class="step-row head" aria-rowindex={1}>
      {['Status', 'Step', 'Took', 'Attempts', 'Why'].map(h => <span role="columnheader" class={'s-' + h.toLowerCase()}>{h}</span>)}
    </div></div>
    <div class="step-rows" role="rowgroup" ref={ref} tabIndex={0} aria-label="Rows" onScroll={e => setTop(e.currentTarget.scrollTop)} style={{ height: `${Math.min(steps.length * rowHeight + 2, 720)}px` }}>
      <div role="presentation" style={{ height: `${first * rowHeight}px` }} />
      {steps.slice(first, last).map((s, i) => <div role="row" class="step-row" aria-rowindex={first + i + 2} key={s.name}>
        <span role="cell" class="s-status"><Badge {...s} /></span>
        <span role="cell" class="s-step"><Link to={toRun(at, { step: s.name })} title={s.name}>{s.name}</Link></span>
        <span role="cell" class="s-took number">{took(s.started_at, s.ended_at, now)}</span>
        <span role="cell" class="s-attempts number">{s.attempts || ''}</span>
        <span role="cell" class="s-why" title={s.why}>{s.why}</span>
      </div>)}
      <div role="presentation" style={{ height: `${(steps.length - last) * rowHeight}px` }} />
    </div>
  </div>
}
