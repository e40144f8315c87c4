// The page of `pipec ui`.
import './style.css'
import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { get, Session } from './api'
import { at, toRun, useRoute } from './route'
import { Link, Loading, Problem, useLoad } from './parts'
import { Runs } from './runs'
import { RunPage } from './run'

function App() {
  const p = useRoute(), a = at(p), step = p.get('step')
  const { value: session, error } = useLoad<Session>('', signal => get('session', {}, signal))
  useEffect(() => { document.title = [step, a.run, 'pipec'].filter(Boolean).join(' · ') }, [step, a.run])
  return <>
    <a class="skip" href="#main">Skip to the content</a>
    <header class="top">
      <Link to="/" class="home"><img src="/icon.svg" alt="" width="22" height="22" />pipec</Link>
      <nav aria-label="Where you are">
        <ol>
          <li><Link to="/" aria-current={a.run ? undefined : 'page'}>Runs</Link></li>
          {a.run ? <li><Link to={toRun(a)} aria-current={step ? undefined : 'page'}>{a.run}</Link></li> : null}
          {step ? <li><Link to={toRun(a, { step })} aria-current="page">{step}</Link></li> : null}
        </ol>
      </nav>
      <span class="stack">{session ? (a.run ? a.stack || session.stacks[0].name : session.stacks.map(s => s.name).join(', ')) : ''}</span>
    </header>
    <main id="main" tabIndex={-1}>
      {error ? <Problem error={error} /> : !session ? <Loading /> : a.run ? <RunPage key={`${a.stack}/${a.pipeline}/${a.run}`} session={session} at={a} p={p} /> : <Runs session={session} p={p} />}
    </main>
  </>
}

render(<App />, document.getElementById('app')!)
