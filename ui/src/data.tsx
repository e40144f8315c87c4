// Values and artifacts, each drawn by its type.
import { useState } from 'preact/hooks'
import { Datum, Files, get, getText, queryOf } from './api'
import { At } from './route'
import { Loading, Problem, useLoad } from './parts'
import { plural, size, value } from './format'

interface Place { at: At; step?: string; side: 'in' | 'out'; name: string; elem?: string[]; file?: string }

function query(p: Place) { return { ...p.at, step: p.step, side: p.side, name: p.name, elem: p.elem, file: p.file } }

function address(p: Place, as: string): string { return `/api/content?${queryOf({ ...query(p), as })}` }

export function Data({ list, at, step, side }: { list: Datum[]; at: At; step?: string; side: 'in' | 'out' }) {
  return <div class="data">{list.map(d => <Item d={d} place={{ at, step, side, name: d.name }} key={d.name} />)}</div>
}

export function Item({ d, place, label, from }: { d: Datum; place: Place; label?: string; from?: string }) {
  return <div class={'datum v-' + d.view}>
    <div class="datum-head"><b>{label ?? d.name}</b> <span class="type">{d.type}</span>
      {d.digest ? <span class="quiet">{d.format ? d.format + ', ' : ''}{size(d.size)} <abbr title={d.digest}>{d.digest.slice(7, 19)}</abbr></span> : null}
      {d.source ? <span class="quiet">from {d.source}</span> : null}
      {d.digest && d.view !== 'directory' ? <a href={address(place, 'file')} download="">Save</a> : null}
    </div>
    <Content d={d} place={place} />
    {from && from !== JSON.stringify(d.value) ? <p class="from">from <code>{from}</code></p> : null}
  </div>
}

function Content({ d, place }: { d: Datum; place: Place }) {
  switch (d.view) {
    case 'value': return d.cut ? <><pre tabIndex={0}>{String(d.value)}</pre><p class="quiet">The value has {size(d.size)}: this is its start. <a href={address(place, 'file')} download="">Save all</a></p></> : <Value v={d.value} />
    case 'list': return <details open={(d.elems?.length ?? 0) <= 3}><summary>{plural(d.count ?? 0, 'element')}</summary>
      {d.elems?.map((e, i) => <Item d={e} label={e.name || `[${i}]`} place={{ ...place, elem: [...(place.elem ?? []), String(i)] }} />)}
      {(d.count ?? 0) > (d.elems?.length ?? 0) ? <p class="quiet">and {(d.count ?? 0) - d.elems!.length} more</p> : null}</details>
    case 'image': return <Picture place={place} name={d.name} />
    case 'text': return <Lazy label="Show the text" open={(d.size ?? 0) < 20_000}><TextView place={place} /></Lazy>
    case 'json': return <Lazy label="Show the JSON" open={(d.size ?? 0) < 100_000}><TextView place={place} json /></Lazy>
    case 'html': return <Lazy label="Show the page" open={false}><Frame place={place} name={d.name} /></Lazy>
    case 'directory': return <Lazy label="Show the files" open><Directory place={place} /></Lazy>
  }
  return null
}

// Lazy loads its content when it is opened.
function Lazy({ label, open, children }: { label: string; open: boolean; children: any }) {
  const [is, set] = useState(open)
  return <details open={open} onToggle={e => set(e.currentTarget.open)}><summary>{label}</summary>{is ? children : null}</details>
}

export function Value({ v }: { v: unknown }) {
  if (v === null || typeof v !== 'object') return <output class={typeof v === 'number' ? 'value number' : 'value'}>{v === undefined ? '' : v === null ? 'null' : value(v)}</output>
  return <div class="tree"><Tree v={v} open /></div>
}

const treeLimit = 100

function Tree({ v, name, open }: { v: unknown; name?: string; open?: boolean }) {
  const [is, set] = useState(!!open)
  const [most, setMost] = useState(treeLimit)
  const label = name === undefined ? null : <span class="key">{name}: </span>
  if (v === null || typeof v !== 'object') return <div class="leaf">{label}<span class={'j-' + (v === null ? 'null' : typeof v)}>{JSON.stringify(v)}</span></div>
  const list = Array.isArray(v), entries = Object.entries(v as object)
  if (!entries.length) return <div class="leaf">{label}{list ? '[]' : '{}'}</div>
  return <details open={is} onToggle={e => set(e.currentTarget.open)}><summary>{label}<span class="quiet">{list ? `[${entries.length}]` : `{${entries.length}}`}</span></summary>
    {is ? <>{entries.slice(0, most).map(([k, x]) => <Tree v={x} name={k} key={k} />)}{entries.length > most ? <button type="button" class="small" onClick={() => setMost(most * 10)}>{entries.length - most} more</button> : null}</> : null}
  </details>
}

function Picture({ place, name }: { place: Place; name: string }) {
  const [failed, set] = useState(false)
  return failed ? <p class="quiet">The image can't be drawn.</p> : <img class="picture" src={address(place, 'image')} alt={`${place.file ?? name}, an image`} loading="lazy" onError={() => set(true)} />
}

function TextView({ place, json }: { place: Place; json?: boolean }) {
  const { value: got, error } = useLoad(JSON.stringify(place), () => getText('content', { ...query(place), as: 'text' }))
  if (error) return <Problem error={error} />
  if (!got) return <Loading />
  if (json && !got.cut) {
    try {
      return <Value v={JSON.parse(got.text)} />
    } catch { /* it is shown as text */ }
  }
  return <><pre tabIndex={0}>{got.text}</pre>{got.cut ? <p class="quiet">This is the start. The whole has {size(got.cut)}.</p> : null}</>
}

// Frame shows an html artifact in a sandbox without network. Its scripts run only if the user asks for that.
function Frame({ place, name }: { place: Place; name: string }) {
  const [scripts, set] = useState(false)
  const { value: got, error } = useLoad<{ url: string }>(JSON.stringify([place, scripts]), signal => get('frame', { ...query(place), scripts: scripts ? 1 : '' }, signal))
  if (error) return <Problem error={error} />
  if (!got) return <Loading />
  return <>
    <p><label class="check"><input type="checkbox" checked={scripts} onChange={e => set(e.currentTarget.checked)} /> Run its scripts</label> <span class="quiet">They have no network and don't reach this page.</span></p>
    <iframe key={got.url} src={got.url} sandbox={scripts ? 'allow-scripts' : ''} referrerpolicy="no-referrer" title={`${name}, an html artifact`} />
  </>
}

function Directory({ place }: { place: Place }) {
  const { value: got, error } = useLoad<Files>(JSON.stringify(place), signal => get('files', query(place), signal))
  const [open, set] = useState('')
  if (error) return <Problem error={error} />
  if (!got) return <Loading />
  return <div class="files">
    <ul>{got.files.slice(0, 500).map(f => <li>
      {f.link ? <span>{f.path} → {f.link}</span> : f.dir ? <span>{f.path}/</span> : <>
        <a href={address({ ...place, file: f.path }, 'file')} download="">{f.path}</a> <span class="quiet">{size(f.size)}</span>
        {['image', 'text', 'json', 'html'].includes(f.view) ? <button type="button" class="small" aria-expanded={open === f.path} onClick={() => set(open === f.path ? '' : f.path)}>{open === f.path ? 'Hide' : 'Show'}</button> : null}
        {open === f.path ? <Content d={{ name: f.path, type: '', view: f.view, size: 0 }} place={{ ...place, file: f.path }} /> : null}
      </>}
    </li>)}</ul>
    {got.total > 500 ? <p class="quiet">and {(got.total - 500).toLocaleString('en')} more files</p> : null}
  </div>
}
