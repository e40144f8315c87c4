// A step: why it has its status, its attempts, its log, its inputs and outputs, and its definition.
import { useState } from 'preact/hooks'
import { Explanation, get, Run, Session } from './api'
import { At, change, toRun } from './route'
import { Badge, Command, Link, Loading, Problem, useLoad, useNow } from './parts'
import { duration, size, time, took, value } from './format'
import { Approval, Rerun } from './acts'
import { Data, Item, Value } from './data'
import { LogView } from './log'
import { Rows } from './table'

export function StepPage({ at, name, run, session, p }: { at: At; name: string; run: Run; session: Session; p: URLSearchParams }) {
  const now_ = run.steps.find(s => s.name === name)
  const [again, setAgain] = useState(0)
  const [rerun, setRerun] = useState(false)
  const key = JSON.stringify([name, now_, again, run.status])
  const { value: x, error } = useLoad<Explanation>(key, signal => get('step', { ...at, step: name }, signal))
  const now = useNow(run.status === 'running')
  if (error) return <Problem error={error} />
  if (!x) return <Loading />
  const tries = x.tries ?? [], attempt = Number(p.get('attempt') ?? 0) || (x.attempts ?? 0)
  const own = !x.parts?.length && !x.ask && !x.defined?.call && (x.started_at || x.of)
  return <>
    <div class="title"><h1>{x.name}</h1><Badge {...x} />
      {run.status !== 'running' ? <span class="acts"><button type="button" onClick={() => setRerun(true)}>Rerun from here…</button></span> : null}
      {rerun ? <Rerun at={at} session={session} from={[name]} close={() => setRerun(false)} /> : null}
    </div>
    {x.defined?.doc ? <p class="quiet">{x.defined.doc}</p> : null}
    {x.asks ? <Approval x={x} at={at} session={session} done={() => setAgain(again + 1)} /> : null}
    <Why x={x} at={at} now={now} />
    {x.parts?.length ? <section><h2>Parts</h2><Rows steps={x.parts} at={at} now={now} /></section> : null}
    {tries.length ? <section><h2>Attempts</h2><div class="scroll" tabIndex={0} role="region" aria-label="Attempts"><table>
      <thead><tr><th scope="col">Attempt</th><th scope="col">Status</th><th scope="col">Started</th><th scope="col" class="number">Took</th><th scope="col">Exit</th><th scope="col">Reason</th><th scope="col" class="number">Log</th></tr></thead>
      <tbody>{tries.map(a => <tr><td><button type="button" class="small" aria-pressed={attempt === a.attempt} onClick={() => change({ attempt: String(a.attempt), line: '' }, true)}>{a.attempt}</button></td>
        <td><Badge status={a.status} /></td><td>{time(a.started_at)}</td><td class="number">{took(a.started_at, a.ended_at)}</td>
        <td>{a.signal || (a.exit_code ?? '')}</td><td>{[a.class === 'infrastructure' ? 'infrastructure' : '', a.reason, a.message].filter(Boolean).join(': ')}{a.node ? ` (node ${a.node})` : ''}</td><td class="number">{size(a.bytes)}</td></tr>)}</tbody>
    </table></div></section> : null}
    {own ? <LogView key={attempt} at={at} step={name} attempt={x.of ? 0 : attempt} p={p} /> : null}
    {x.outputs?.length ? <section><h2>Outputs</h2><Data list={x.outputs} at={at} step={name} side="out" /></section> : null}
    {x.inputs?.length ? <section><h2>Inputs</h2><div class="data">{x.inputs.map(i => i.datum
      ? <Item d={{ ...i.datum, name: i.name, type: i.datum.type || i.type }} place={{ at, step: name, side: 'in', name: i.name }} from={i.from} />
      : <Item d={{ name: i.name, type: i.type, view: 'none' }} place={{ at, side: 'in', name: i.name }} from={i.from} />)}</div></section> : null}
    <Defined x={x} />
    <section><h2>In a terminal</h2>{x.terminal.map(c => <Command text={c} />)}</section>
  </>
}

// Why says why the step ran, was skipped, was cached or was not cached.
function Why({ x, at, now }: { x: Explanation; at: At; now: number }) {
  const c = x.cache, run = (name: string) => <Link to={toRun({ ...at, pipeline: name === at.run ? at.pipeline : '', run: name })}>{name}</Link>
  const waited = x.ready_at && x.started_at ? Date.parse(x.started_at) - Date.parse(x.ready_at) : 0
  return <dl class="facts why">
    {x.reason || x.message ? <div class="wide"><dt>Why</dt><dd>{[x.reason, x.message].filter(Boolean).join(': ')}</dd></div> : null}
    {x.because ? <div><dt>Because of</dt><dd><Link to={toRun(at, { step: x.because })}>{x.because}</Link></dd></div> : null}
    {x.when ? <div><dt>Condition</dt><dd><code>{x.when}</code></dd></div> : null}
    {x.cached && x.of ? <div><dt>Cache</dt><dd>Hit: the result is from run {run(x.of)}</dd></div>
      : x.kept && x.of ? <div><dt>Kept</dt><dd>The result is from run {run(x.of)}</dd></div>
      : c?.changed?.length ? <div class="wide"><dt>Not cached</dt><dd>Compared with run {run(c.run ?? '')}, this has changed: <ul>{c.changed.map(t => <li>{t}</li>)}</ul></dd></div>
      : c && !c.hit && c.why ? <div class="wide"><dt>Not cached</dt><dd>{c.why}</dd></div> : null}
    {x.needs?.length ? <div class="wide"><dt>Needs</dt><dd class="needs">{x.needs.map(n => <span><Badge status={n.status} /> <Link to={toRun(at, { step: n.step })}>{n.step}</Link></span>)}</dd></div> : null}
    {x.started_at ? <div><dt>Started</dt><dd>{time(x.started_at)}</dd></div> : null}
    {x.started_at ? <div><dt>Took</dt><dd>{took(x.started_at, x.ended_at, now)}</dd></div> : null}
    {waited > 0 ? <div><dt>Waited</dt><dd>{duration(waited)} after its needs had ended</dd></div> : null}
    {(x.retry ?? 0) > 1 ? <div><dt>Retry budget</dt><dd>{x.retry} attempts</dd></div> : null}
    {x.answer ? <div class="wide"><dt>{x.answer.reject ? 'Rejected' : 'Approved'}</dt><dd>by {x.answer.by || 'somebody'}{x.answer.at ? `, ${time(x.answer.at)}` : ''}{x.answer.reason ? `: ${x.answer.reason}` : ''}{x.answer.value !== undefined ? ` (value ${value(x.answer.value)})` : ''}</dd></div> : null}
  </dl>
}

function Defined({ x }: { x: Explanation }) {
  const d = x.defined
  if (!d || !(d.python || d.script || d.call || d.code || d.image || d.command || d.env || d.secrets || d.pod)) return null
  const facts: [string, string | undefined][] = [['Python', d.python], ['Script', d.script], ['Calls', d.call], ['Code', d.code], ['Image', d.image]]
  return <section><h2>Definition</h2>
    {!facts.some(f => f[1]) && !d.secrets ? null : <dl class="facts">{facts.filter(f => f[1]).map(([k, v]) => <div><dt>{k}</dt><dd><code>{v}</code></dd></div>)}
      {d.secrets?.length ? <div><dt>Secret variables</dt><dd>{d.secrets.join(', ')}</dd></div> : null}</dl>}
    {d.command?.length ? <pre class="wrap" tabIndex={0}>{d.command.join('\n')}</pre> : null}
    {d.env?.length ? <details><summary>Environment</summary><table><tbody>{d.env.map(([k, v]) => <tr><th scope="row">{k}</th><td><code>{v}</code></td></tr>)}</tbody></table></details> : null}
    {d.pod ? <details><summary>Pod</summary><Value v={d.pod} /></details> : null}
  </section>
}
