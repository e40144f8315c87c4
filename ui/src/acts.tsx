// What a person can do with a run: each act shows the command that does the same, and asks for a confirmation.
import { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Explanation, Plan, post, Run, Session } from './api'
import { At, go, toRun } from './route'
import { Command, Loading, Problem } from './parts'

// Confirm is a dialog. It does the act when the user confirms, and stays open if that fails.
function Confirm({ title, command, verb, danger, act, close, children }: {
  title: string; command: string; verb: string; danger?: boolean; act: () => Promise<void>; close: () => void; children?: ComponentChildren
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  useEffect(() => { ref.current!.showModal() }, [])
  return <dialog ref={ref} aria-labelledby="dialog-title" onClose={close}>
    <form onSubmit={e => {
      e.preventDefault()
      setBusy(true)
      setError(undefined)
      act().then(() => ref.current?.close(), e => { setError(e); setBusy(false) })
    }}>
      <h2 id="dialog-title">{title}</h2>
      {children}
      <p class="quiet">The same in a terminal:</p>
      <Command text={command} />
      {error ? <Problem error={error} /> : null}
      <div class="buttons">
        <button type="button" onClick={() => ref.current!.close()}>Back</button>
        <button type="submit" class={danger ? 'danger' : 'primary'} disabled={busy || !command}>{busy ? 'Working…' : verb}</button>
      </div>
    </form>
  </dialog>
}

export function Acts({ run, at, session }: { run: Run; at: At; session: Session }) {
  const [open, set] = useState('')
  const live = run.status === 'running' || run.status === 'pending', lost = run.status === 'lost'
  return <span class="acts">
    {live || lost ? <button type="button" class="danger" onClick={() => set('cancel')}>Cancel…</button> : null}
    {live ? null : <button type="button" onClick={() => set('rerun')}>Rerun…</button>}
    {open === 'cancel' ? <Confirm title={`Cancel ${run.name}?`} command={run.commands.cancel} verb="Cancel the run" danger close={() => set('')}
      act={async () => { await post('cancel', session.token, body(at)) }}>
      <p>{lost ? 'Nothing drives this run any more: its end is recorded.' : 'Its steps are asked to stop. The steps of finally still run.'}</p>
    </Confirm> : null}
    {open === 'rerun' ? <Rerun at={at} session={session} close={() => set('')} /> : null}
  </span>
}

function body(at: At) { return { stack: at.stack, pipeline: at.pipeline, run: at.run } }

// Rerun shows what a rerun would do, and starts it. from are steps to run again although they succeeded.
export function Rerun({ at, session, from, close }: { at: At; session: Session; from?: string[]; close: () => void }) {
  const [plan, setPlan] = useState<Plan>()
  const [error, setError] = useState<unknown>()
  const request = { ...body(at), from }
  useEffect(() => { post<Plan>('plan', session.token, request).then(setPlan, setError) }, [])
  const runs = plan?.steps.filter(s => !s.keep) ?? [], kept = plan?.steps.filter(s => s.keep) ?? []
  return <Confirm title={`Rerun ${at.run}?`} command={plan && !plan.nothing ? plan.command : ''} verb="Start the rerun" close={close}
    act={async () => { const done = await post<{ run: string }>('rerun', session.token, request); go(toRun({ ...at, run: done.run })) }}>
    {error ? <Problem error={error} /> : !plan ? <Loading /> : plan.nothing ? <p>{plan.nothing}</p> : <>
      <p>{plan.resume ? 'The run was killed, and is resumed under its own name.' : 'A new run takes over the results of this one.'}</p>
      <div class="plan" tabIndex={0} role="region" aria-label="What the rerun does"><ul>
        {runs.map(s => <li><b>run</b> {s.step}{s.why ? <span class="quiet"> ({s.why})</span> : null}</li>)}
        {kept.map(s => <li class="quiet">keep {s.step}</li>)}
        {plan.more ? <li class="quiet">and {plan.more} more</li> : null}
      </ul></div>
    </>}
  </Confirm>
}

// Approval answers a step that waits for approval.
export function Approval({ x, at, session, done }: { x: Explanation; at: At; session: Session; done: () => void }) {
  const [open, set] = useState('')
  const [reason, setReason] = useState('')
  const [text, setText] = useState('')
  const ask = x.ask!, reject = open === 'reject'
  const command = (reject ? x.reject! : x.approve!) + (!reject && ask.type && text ? ' --value ' + quote(text) : '') + (reason ? ' --reason ' + quote(reason) : '')
  return <section class="approval" aria-label="Approval">
    <h2>{ask.message}</h2>
    {ask.until ? <p class="quiet">Until {new Date(ask.until).toLocaleString()}</p> : null}
    <div class="buttons">
      <button type="button" class="primary" onClick={() => set('approve')}>Approve…</button>
      <button type="button" class="danger" onClick={() => set('reject')}>Reject…</button>
    </div>
    {open ? <Confirm title={`${reject ? 'Reject' : 'Approve'} ${x.name}?`} command={command} verb={reject ? 'Reject' : 'Approve'} danger={reject} close={() => set('')}
      act={async () => { await post('answer', session.token, { ...body(at), step: x.name, reject, reason, ...(!reject && ask.type && text ? { value: text, valued: true } : {}) }); done() }}>
      <p>{ask.message}</p>
      {!reject && ask.type ? <label>Value ({ask.type}) <input value={text} onInput={e => setText(e.currentTarget.value)} placeholder={ask.default === undefined ? '' : JSON.stringify(ask.default)} /></label> : null}
      <label>Reason (optional) <input value={reason} onInput={e => setReason(e.currentTarget.value)} /></label>
    </Confirm> : null}
  </section>
}

function quote(text: string): string { return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'` }
