// A run: its facts, and its steps as a graph, a timeline or a table.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { get, listen, Run, Session, Status, Step } from './api'
import { At, change, toRun } from './route'
import { Badge, Command, Link, Loading, Problem, statuses, useNow, word } from './parts'
import { plural, time, took } from './format'
import { Data } from './data'
import { Graph } from './graph'
import { TimelineView } from './timeline'
import { StepTable } from './table'
import { StepPage } from './step'
import { Acts } from './acts'

// manySteps is the number of steps from which the table is shown first.
const manySteps = 300

export function ended(s: Status): boolean { return s !== 'running' && s !== 'pending' }

export function RunPage({ session, at, p }: { session: Session; at: At; p: URLSearchParams }) {
  const [run, setRun] = useState<Run>()
  const [error, setError] = useState<unknown>()
  const [lost, setLost] = useState(false)
  useEffect(() => {
    let stop = () => {}
    const off = new AbortController()
    // The first request has a status and a hint if it fails, which an EventSource does not pass on.
    get<Run>('run', { ...at }, off.signal).then(r => {
      setRun(r)
      if (!ended(r.status) || r.status === 'lost') stop = listen('live', { ...at }, { run: setRun, steps: d => setRun(r => r && merge(r, d)), fault: setError }, setLost)
    }, e => { if (!off.signal.aborted) setError(e) })
    return () => { off.abort(); stop() }
  }, [])
  const now = useNow(run?.status === 'running')
  if (error) return <Problem error={error} />
  if (!run) return <Loading />
  const step = p.get('step')
  return <>
    {lost ? <p class="problem" role="status">The connection to `pipec ui` is lost. The page tries again.</p> : null}
    {step ? <StepPage key={step} at={at} name={step} run={run} session={session} p={p} /> : <Overview run={run} at={at} p={p} session={session} now={now} />}
  </>
}

// merge adds changed steps to a run.
function merge(run: Run, delta: { steps?: Step[]; order?: string[] }): Run {
  const by = new Map(run.steps.map(s => [s.name, s]))
  for (const s of delta.steps ?? []) by.set(s.name, s)
  const order = delta.order ?? run.steps.map(s => s.name)
  return { ...run, steps: order.map(n => by.get(n)).filter((s): s is Step => !!s) }
}

function Overview({ run, at, p, session, now }: { run: Run; at: At; p: URLSearchParams; session: Session; now: number }) {
  const view = p.get('view') ?? (run.steps.length > manySteps ? 'table' : 'graph')
  const asks = run.steps.filter(s => s.asks)
  return <>
    <div class="title">
      <h1>{run.name}</h1>
      <Badge status={run.status} />
      <Acts run={run} at={at} session={session} />
    </div>
    {run.message ? <p class={run.status === 'succeeded' ? 'quiet' : 'problem'}>{run.message}</p> : null}
    {asks.map(s => <p class="asks-note" role="status"><Link to={toRun(at, { step: s.name })}>{s.name}</Link> waits for approval. {s.why?.replace(/^waiting for approval: /, '')}</p>)}
    <dl class="facts">
      <div><dt>Pipeline</dt><dd><Link to={'?pipeline=' + encodeURIComponent(run.pipeline)}>{run.pipeline}</Link></dd></div>
      <div><dt>Stack</dt><dd>{run.stack}</dd></div>
      <div><dt>Started</dt><dd><time dateTime={run.created_at}>{time(run.created_at)}</time></dd></div>
      {run.status === 'lost' ? null : <div><dt>Took</dt><dd>{took(run.created_at, run.ended_at, now)}</dd></div>}
      {run.rerun_of ? <div><dt>Rerun of</dt><dd><Link to={toRun({ ...at, run: run.rerun_of })}>{run.rerun_of}</Link></dd></div> : null}
      {run.schedule ? <div><dt>Schedule</dt><dd>{run.schedule}</dd></div> : null}
      {run.scheduled_at ? <div><dt>Scheduled at</dt><dd>{time(run.scheduled_at)}</dd></div> : null}
    </dl>
    <Counts steps={run.steps} />
    <div class="tabs" role="group" aria-label="How the steps are shown">
      {(['graph', 'timeline', 'table'] as const).map(v => <button type="button" aria-pressed={view === v} onClick={() => change({ view: v, call: '' })}>{v[0].toUpperCase() + v.slice(1)}</button>)}
    </div>
    {view === 'timeline' ? <TimelineView run={run} at={at} now={now} /> : view === 'table' ? <StepTable run={run} at={at} p={p} now={now} /> : <Graph run={run} at={at} p={p} />}
    {run.results?.length ? <section><h2>Outputs</h2><Data list={run.results} at={at} side="out" /></section> : null}
    {run.inputs?.length ? <section><h2>Params</h2><Data list={run.inputs} at={at} side="in" /></section> : null}
    <section><h2>In a terminal</h2><Command text={run.commands.show} /><Command text={run.commands.logs} /></section>
  </>
}

// count counts steps by status; cached ones separately.
export function count(steps: Step[]): [string, number][] {
  const by = new Map<string, number>()
  for (const s of steps) by.set(s.status, (by.get(s.status) ?? 0) + 1)
  return statuses.filter(s => by.has(s)).map(s => [s, by.get(s)!])
}

export function StatusBar({ counts }: { counts: [string, number][] }) {
  const total = counts.reduce((n, c) => n + c[1], 0) || 1
  return <span class="status-bar" aria-hidden="true">{counts.map(([s, n]) => <span class={s} style={{ width: `${n / total * 100}%` }} />)}</span>
}

function Counts({ steps }: { steps: Step[] }) {
  const counts = useMemo(() => count(steps), [steps])
  return <div class="counts">
    <StatusBar counts={counts} />
    <span role="status">{plural(steps.length, 'step')}: {counts.map(([s, n]) => `${n.toLocaleString('en')} ${word(s as Status)}`).join(', ')}</span>
  </div>
}
