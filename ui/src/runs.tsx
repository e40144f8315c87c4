// The list of runs.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { get, List, listen, Row, Session } from './api'
import { change, toRun } from './route'
import { Badge, Link, Loading, Problem, statuses, useNow, word } from './parts'
import { ago, plural, time, took, value } from './format'

const filters = ['stack', 'pipeline', 'status', 'since', 'before', 'where', 'name', 'limit']

export function Runs({ session, p }: { session: Session; p: URLSearchParams }) {
  const query: Record<string, string> = {}
  for (const name of filters) if (p.get(name)) query[name] = p.get(name)!
  const key = JSON.stringify(query)
  const [list, setList] = useState<List>()
  const [error, setError] = useState<unknown>()
  const [lost, setLost] = useState(false)
  useEffect(() => {
    const stop = new AbortController()
    let close = () => {}
    get<List>('runs', query, stop.signal).then(l => {
      setList(l)
      setError(undefined)
      close = listen('live', query, { runs: setList, fault: setError }, setLost)
    }, e => { if (!stop.signal.aborted) setError(e) })
    return () => { stop.abort(); close() }
  }, [key])
  const now = useNow(!!list?.runs.some(r => r.status === 'running'))
  return <>
    <h1>Runs</h1>
    <Filter p={p} pipelines={list?.pipelines ?? []} stacks={session.stacks.map(s => s.name)} />
    {error ? <Problem error={error} /> : null}
    {lost ? <p class="problem" role="status">The connection to `pipec ui` is lost. The page tries again.</p> : null}
    {list?.faults?.map(f => <p class="problem" role="alert">{f}</p>)}
    {list ? <Table list={list} p={p} session={session} now={now} filtered={key !== '{}'} /> : error ? null : <Loading />}
  </>
}

function Filter({ p, pipelines, stacks }: { p: URLSearchParams; pipelines: string[]; stacks: string[] }) {
  // The page is drawn again while runs are live: that must not replace what is being typed, so only another address sets the value.
  const field = (name: string, label: string, hint: string) => <label>{label}
    <input key={p.get(name)} name={name} defaultValue={p.get(name) ?? ''} placeholder={hint} spellcheck={false} autocomplete="off" onChange={e => change({ [name]: e.currentTarget.value.trim(), limit: '' })} />
  </label>
  return <form class="filter" role="search" aria-label="Filter the runs" onSubmit={e => { e.preventDefault(); (document.activeElement as HTMLElement)?.blur() }}>
    {stacks.length > 1 ? <label>Stack
      <select value={p.get('stack') ?? ''} onChange={e => change({ stack: e.currentTarget.value, limit: '' })}>
        <option value="">all</option>
        {stacks.map(n => <option value={n}>{n}</option>)}
      </select>
    </label> : null}
    <label>Pipeline
      <select value={p.get('pipeline') ?? ''} onChange={e => change({ pipeline: e.currentTarget.value, limit: '' })}>
        <option value="">all</option>
        {[...new Set([...pipelines, p.get('pipeline') ?? ''])].filter(Boolean).sort().map(n => <option value={n}>{n}</option>)}
      </select>
    </label>
    <label>Status
      <select value={p.get('status') ?? ''} onChange={e => change({ status: e.currentTarget.value, limit: '' })}>
        <option value="">any</option>
        <option value="failed,timed_out,lost,damaged">not good</option>
        {statuses.filter(s => s !== 'pending' && s !== 'skipped').map(s => <option value={s}>{word(s)}</option>)}
      </select>
    </label>
    {field('since', 'Since', '24h, 7d, 2026-01-31')}
    {field('before', 'Before', '2026-01-31')}
    {field('where', 'Param or output', 'param.rate<0.1 output.accuracy>=0.9')}
    {field('name', 'Name', 'part of a name')}
    {filters.some(n => p.get(n)) ? <button type="button" onClick={() => change(Object.fromEntries(filters.map(n => [n, ''])))}>Clear</button> : null}
  </form>
}

interface Column { key: string; head: string; number?: boolean; of: (r: Row) => unknown }

function columnsOf(list: List, many: boolean): Column[] {
  const names = (kind: 'params' | 'outputs') => {
    const count = new Map<string, number>()
    for (const r of list.runs) for (const n of Object.keys(r[kind] ?? {})) count.set(n, (count.get(n) ?? 0) + 1)
    return [...count].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(x => x[0])
  }
  const out: Column[] = [
    { key: 'status', head: 'Status', of: r => statuses.indexOf(r.status) },
    { key: 'name', head: 'Run', of: r => r.name },
    { key: 'pipeline', head: 'Pipeline', of: r => r.pipeline },
  ]
  if (many) out.push({ key: 'stack', head: 'Stack', of: r => r.stack })
  out.push({ key: 'created', head: 'Started', of: r => r.created_at }, {
    key: 'took', head: 'Took', number: true, of: r => (r.ended_at ? Date.parse(r.ended_at) : Date.now()) - Date.parse(r.created_at),
  })
  for (const n of names('params')) out.push({ key: 'param.' + n, head: n, of: r => r.params?.[n] })
  for (const n of names('outputs')) out.push({ key: 'output.' + n, head: n, of: r => r.outputs?.[n] })
  return out
}

const fixed = ['status', 'name', 'pipeline', 'stack', 'created', 'took']
const shownValues = 6

function compare(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const x = value(a), y = value(b)
  return x < y ? -1 : x > y ? 1 : 0
}

function Table({ list, p, session, now, filtered }: { list: List; p: URLSearchParams; session: Session; now: number; filtered: boolean }) {
  const all = useMemo(() => columnsOf(list, session.stacks.length > 1), [list])
  const chosen = p.get('columns')?.split(',')
  const values = all.filter(c => !fixed.includes(c.key))
  const columns = all.filter(c => fixed.includes(c.key) || (chosen ? chosen.includes(c.key) : values.indexOf(c) < shownValues))
  const [sort, down] = (p.get('sort') ?? 'created').startsWith('-') ? [p.get('sort')!.slice(1), false] : [p.get('sort') ?? 'created', true]
  const runs = useMemo(() => {
    const c = all.find(c => c.key === sort)
    if (!c) return list.runs
    return [...list.runs].sort((a, b) => {
      const x = c.of(a), y = c.of(b)
      if (x === undefined || y === undefined) return compare(x, y)
      return down ? compare(y, x) : compare(x, y)
    })
  }, [list, sort, down])
  if (!list.runs.length) return <p class="empty">{filtered ? 'No run matches the filter.' : <>There are no runs yet: <code>pipec run</code> starts one.</>}</p>
  return <>
    <div class="bar">
      <span role="status">{plural(list.runs.length, 'run')}{list.more ? ', and there are more' : ''}</span>
      {values.length > 0 ? <ColumnChoice values={values} shown={columns} /> : null}
    </div>
    <Trend runs={list.runs} names={values.filter(c => c.key.startsWith('output.') && columns.includes(c)).map(c => c.key.slice(7))} />
    <div class="scroll" tabIndex={0} role="region" aria-label="Runs">
      <table class="runs">
        <thead><tr>{columns.map(c => <th scope="col" aria-sort={c.key === sort ? (down ? 'descending' : 'ascending') : undefined} class={kind(c)}>
          <button type="button" onClick={() => change({ sort: (c.key === sort && down ? '-' : '') + c.key })}>
            {c.key.startsWith('param.') ? <span class="kind">param</span> : c.key.startsWith('output.') ? <span class="kind">output</span> : null}
            {c.head}{c.key === sort ? <span aria-hidden="true">{down ? ' ↓' : ' ↑'}</span> : null}
          </button></th>)}</tr></thead>
        <tbody>{runs.map(r => <tr key={`${r.stack}/${r.pipeline}/${r.name}`}>{columns.map(c => <td class={kind(c)}>{cell(c, r, now)}</td>)}</tr>)}</tbody>
      </table>
    </div>
    {list.more ? <p><button type="button" onClick={() => change({ limit: String(Math.min(5000, list.runs.length * 4)) })}>Show more runs</button></p> : null}
  </>
}

function kind(c: Column): string { return fixed.includes(c.key) ? 'c-' + c.key : 'c-value' }

function cell(c: Column, r: Row, now: number) {
  switch (c.key) {
    case 'status': return <Badge status={r.status} />
    case 'name': return <><Link to={toRun({ stack: r.stack, pipeline: r.pipeline, run: r.name })}>{r.name}</Link>{r.message ? <div class="message" title={r.message}>{r.message}</div> : null}</>
    case 'pipeline': return r.pipeline
    case 'stack': return r.stack
    case 'created': return <time dateTime={r.created_at} title={time(r.created_at)}>{ago(r.created_at, Math.max(now, Date.now()))}</time>
    case 'took': return r.status === 'lost' ? '' : took(r.created_at, r.ended_at, now)
  }
  const v = c.of(r)
  return v === undefined ? <span class="quiet">–</span> : <span class={typeof v === 'number' ? 'number' : ''} title={value(v)}>{value(v)}</span>
}

function ColumnChoice({ values, shown }: { values: Column[]; shown: Column[] }) {
  return <details class="choice"><summary>Columns</summary><div>
    {values.map(c => <label><input type="checkbox" checked={shown.includes(c)} onChange={e => {
      const keys = values.filter(v => v === c ? e.currentTarget.checked : shown.includes(v)).map(v => v.key)
      change({ columns: keys.join(',') || 'none' }, true)
    }} /> {c.key}</label>)}
  </div></details>
}

// Trend draws a line for each numeric output over the runs of the list. The table has the same numbers.
function Trend({ runs, names }: { runs: Row[]; names: string[] }) {
  const old = useMemo(() => [...runs].reverse(), [runs])
  const lines = names.map(name => ({ name, points: old.map(r => r.outputs?.[name]).filter((v): v is number => typeof v === 'number') })).filter(l => l.points.length > 1)
  const ref = useRef<HTMLDivElement>(null)
  if (!lines.length) return null
  return <div class="trends" ref={ref}>{lines.slice(0, 6).map(l => {
    const low = Math.min(...l.points), high = Math.max(...l.points), w = 160, h = 34
    const at = (v: number, i: number) => `${(i / (l.points.length - 1) * w).toFixed(1)} ${(h - 3 - (high > low ? (v - low) / (high - low) : .5) * (h - 6)).toFixed(1)}`
    return <figure><figcaption><b>{l.name}</b> {value(l.points[l.points.length - 1])}<span class="quiet"> ({value(low)} … {value(high)})</span></figcaption>
      <svg width={w} height={h} role="img" aria-label={`${l.name} over the last ${l.points.length} runs, from ${value(l.points[0])} to ${value(l.points[l.points.length - 1])}`}>
        <polyline points={l.points.map(at).join(' ')} />
      </svg></figure>
  })}</div>
}
