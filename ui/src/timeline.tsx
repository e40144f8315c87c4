// When the steps of a run waited, were pending and ran.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Bar, get, Run, Timeline } from './api'
import { At, toRun } from './route'
import { Link, Loading, Problem, word } from './parts'
import { duration } from './format'

const rowsAtOnce = 300

export function TimelineView({ run, at, now }: { run: Run; at: At; now: number }) {
  const [t, set] = useState<Timeline>()
  const [error, setError] = useState<unknown>()
  const [all, setAll] = useState(false)
  const loaded = useRef(0), timer = useRef(0)
  useEffect(() => { // at most every two seconds, because the server reads the whole log of the run
    timer.current ||= setTimeout(() => {
      timer.current = 0
      loaded.current = Date.now()
      get<Timeline>('timeline', { ...at }).then(t => { set(t); setError(undefined) }, setError)
    }, Math.max(0, loaded.current + 2000 - Date.now()))
  }, [run])
  useEffect(() => () => clearTimeout(timer.current), [])
  if (error) return <Problem error={error} />
  if (!t) return <Loading />
  if (!t.bars.length) return <p class="empty">No step has started yet.</p>
  const from = Date.parse(t.from), last = Math.max(...t.bars.map(b => Date.parse(b.ended_at ?? b.ran_at ?? b.queued_at ?? t.from)))
  const to = Math.max(from + 1, t.to ? Date.parse(t.to) : run.status === 'running' ? Math.max(now, last) : last)
  const bars = all ? t.bars : t.bars.slice(0, rowsAtOnce)
  return <div class="timeline">
    <p class="legend">
      <span><i class="t-wait" /> waiting for its turn or a retry</span><span><i class="t-pend" /> pending: being started</span><span><i class="t-run" /> running</span><span><i class="t-crit" /> critical path: decided when the run ended</span>
    </p>
    <div class="scroll" tabIndex={0} role="region" aria-label="Timeline">
      <table>
        <thead><tr><th scope="col">Step</th><th scope="col" class="number">Waited</th><th scope="col" class="number">Pending</th><th scope="col" class="number">Ran</th>
          <th scope="col" class="axis"><span>0</span><span>{duration((to - from) / 2)}</span><span>{duration(to - from)}</span></th></tr></thead>
        <tbody>{bars.map(b => <Line key={b.step + '/' + (b.attempt ?? 0)} b={b} from={from} to={to} now={run.status === 'running' ? now : last} at={at} />)}</tbody>
      </table>
    </div>
    {bars.length < t.bars.length ? <p><button type="button" onClick={() => setAll(true)}>Show all {t.bars.length} bars</button></p> : null}
    {t.cut ? <p class="quiet">{t.cut} more bars are left out. The table has all steps.</p> : null}
  </div>
}

function Line({ b, from, to, now, at }: { b: Bar; from: number; to: number; now: number; at: At }) {
  const ended = b.ended_at ? Date.parse(b.ended_at) : now
  const ran = b.ran_at ? Date.parse(b.ran_at) : b.ended_at ? ended : undefined
  const queued = b.queued_at ? Date.parse(b.queued_at) : ran ?? ended
  const ready = b.ready_at ? Math.min(Date.parse(b.ready_at), queued) : queued
  const running = ran ?? (b.status === 'running' ? queued : ended)
  const x = (t: number) => `${Math.max(0, Math.min(100, (t - from) / (to - from) * 100))}%`
  const w = (a: number, b: number) => `${Math.max(0, Math.min(100, (b - a) / (to - from) * 100))}%`
  return <tr class={b.critical ? 'critical' : ''}>
    <th scope="row"><Link to={toRun(at, { step: b.step })} title={b.step}>{b.step}</Link>{b.critical ? <span class="crit" aria-hidden="true"> ◆</span> : null}{(b.attempt ?? 0) > 1 ? <span class="quiet"> attempt {b.attempt}</span> : null}{b.critical ? <span class="sr"> on the critical path</span> : null}</th>
    <td class="number">{duration(queued - ready)}</td>
    <td class="number">{duration(running - queued)}</td>
    <td class="number">{duration(ended - running)}</td>
    <td class="lane" title={word(b.status)}>
      <span class="t-wait" style={{ left: x(ready), width: w(ready, queued) }} />
      <span class="t-pend" style={{ left: x(queued), width: w(queued, running) }} />
      <span class={'t-run ' + b.status} style={{ left: x(running), width: `max(2px, ${w(running, ended)})` }} />
    </td>
  </tr>
}
