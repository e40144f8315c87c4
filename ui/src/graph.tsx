// The graph of a run. The layout comes from the server. Only what is in view is drawn: as SVG, or, if that is too much, as
// rectangles on a canvas. The table shows the same steps.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Drawing, get, Node, Run, Step } from './api'
import { At, change, go, toRun } from './route'
import { Loading, Problem, statuses, useLoad, word } from './parts'
import { count } from './run'

const maxDrawn = 600 // nodes as SVG

interface View { x: number; y: number; scale: number }

// state is what a node shows: its own status, and those of its parts.
interface State { step?: Step; parts: Step[] }

// states finds the steps of the nodes, and their instances, rounds and inner steps, in one pass.
function states(run: Run, prefix: string): Map<string, State> {
  const out = new Map<string, State>()
  for (const s of run.steps) {
    if (!s.name.startsWith(prefix)) continue
    const rest = s.name.slice(prefix.length)
    const end = rest.search(/[.[#]/)
    const root = end < 0 ? rest : rest.slice(0, end)
    let state = out.get(root)
    if (!state) out.set(root, state = { parts: [] })
    if (end < 0) state.step = s
    else state.parts.push(s)
  }
  return out
}

export function Graph({ run, at, p }: { run: Run; at: At; p: URLSearchParams }) {
  const call = p.get('call') ?? ''
  const { value: d, error } = useLoad<Drawing>(call, signal => get('graph', { ...at, call }, signal))
  const known = useMemo(() => states(run, call ? call + '.' : ''), [run, call])
  return <div class="graph-box">
    {call ? <p class="crumbs"><button type="button" onClick={() => change({ call: parentCall(call) })}>← Back</button> The pipeline that <b>{call}</b> calls</p> : null}
    {error ? <Problem error={error} /> : !d ? <Loading /> : <Picture key={call} d={d} known={known} at={at} prefix={call ? call + '.' : ''} />}
  </div>
}

function parentCall(call: string): string {
  const i = call.lastIndexOf('.')
  return i < 0 ? '' : call.slice(0, i).replace(/(\[[^\]]*\]|#\d+)+$/, '')
}

function Picture({ d, known, at, prefix }: { d: Drawing; known: Map<string, State>; at: At; prefix: string }) {
  const ref = useRef<HTMLDivElement>(null)
  const [box, setBox] = useState({ width: 0, height: 0 })
  const [view, setView] = useState<View>()
  useEffect(() => {
    const watch = new ResizeObserver(() => { if (ref.current) setBox({ width: ref.current.clientWidth, height: ref.current.clientHeight }) })
    watch.observe(ref.current!)
    return () => watch.disconnect()
  }, [])
  const fit = (): View => {
    const scale = Math.min(1, Math.max(0.02, Math.min(box.width / d.width, box.height / d.height)))
    return { scale, x: (d.width - box.width / scale) / 2, y: (d.height - box.height / scale) / 2 }
  }
  // A wide graph begins at its left end, so that names can be read.
  const start = (): View => {
    const f = fit()
    return f.scale > 0.55 ? f : { scale: 0.8, x: 0, y: Math.max(-20, (d.height - box.height / 0.8) / 2) }
  }
  const v = view ?? (box.width ? start() : { x: 0, y: 0, scale: 1 })
  const zoom = (by: number, cx = box.width / 2, cy = box.height / 2) => {
    const scale = Math.min(3, Math.max(0.01, v.scale * by))
    setView({ scale, x: v.x + cx / v.scale - cx / scale, y: v.y + cy / v.scale - cy / scale })
  }
  useEffect(() => {
    const el = ref.current!
    const wheel = (e: WheelEvent) => {
      if (!e.ctrlKey && !e.metaKey) return // the page scrolls
      e.preventDefault()
      const r = el.getBoundingClientRect()
      zoom(Math.exp(-e.deltaY * 0.01), e.clientX - r.left, e.clientY - r.top)
    }
    el.addEventListener('wheel', wheel, { passive: false })
    return () => el.removeEventListener('wheel', wheel)
  })
  const drag = useRef<{ x: number; y: number; view: View; moved: boolean } | undefined>(undefined)
  const right = v.x + box.width / v.scale, low = v.y + box.height / v.scale
  const inView = (n: Node) => n.x < right && n.x + n.width > v.x && n.y < low && n.y + n.height > v.y
  const visible = d.nodes.filter(inView)
  const asSVG = visible.length <= maxDrawn
  return <>
    <div class="graph-tools">
      <button type="button" onClick={() => zoom(1.3)} aria-label="Zoom in">+</button>
      <button type="button" onClick={() => zoom(1 / 1.3)} aria-label="Zoom out">−</button>
      <button type="button" onClick={() => setView(fit())}>Fit</button>
      <span class="quiet">Drag to move, Ctrl and the wheel to zoom, arrow keys to move.</span>
    </div>
    <div class="graph" ref={ref} tabIndex={0} role="group" aria-label="Graph of the steps; the table shows the same steps"
      style={{ height: `${Math.round(Math.min(640, Math.max(220, d.height + 20)))}px` }}
      onKeyDown={e => {
        const by = 80 / v.scale, move: Record<string, [number, number]> = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }
        const m = move[e.key]
        if (m) { e.preventDefault(); setView({ ...v, x: v.x + m[0], y: v.y + m[1] }) }
        if (e.key === '+') zoom(1.3)
        if (e.key === '-') zoom(1 / 1.3)
        if (e.key === '0') setView(fit())
      }}
      onPointerDown={e => { if (!e.button) drag.current = { x: e.clientX, y: e.clientY, view: v, moved: false } }}
      onPointerMove={e => {
        const g = drag.current
        if (!g) return
        const dx = e.clientX - g.x, dy = e.clientY - g.y
        if (!g.moved && Math.abs(dx) + Math.abs(dy) < 4) return
        if (!g.moved) { g.moved = true; e.currentTarget.setPointerCapture(e.pointerId) }
        setView({ ...g.view, x: g.view.x - dx / v.scale, y: g.view.y - dy / v.scale })
      }}
      onPointerUp={() => { const moved = drag.current?.moved; setTimeout(() => { drag.current = undefined }, 0); if (!moved) drag.current = undefined }}
      onPointerCancel={() => { drag.current = undefined }}>
      {!box.width ? null : asSVG ? <svg width={box.width} height={box.height} viewBox={`${v.x} ${v.y} ${box.width / v.scale} ${box.height / v.scale}`}>
        {d.finally ? <g class="last-frame"><rect {...d.finally} rx={12} /><text x={d.finally.x + 12} y={d.finally.y + 18}>finally</text></g> : null}
        <g aria-hidden="true">{edgesIn(d, v.x, v.y, right, low).map(e => <path key={`${e.from}-${e.to}`} class={'edge ' + e.kind} d={e.path}><title>{e.text}</title></path>)}</g>
        {visible.map(n => <NodeBox key={n.name + n.kind} n={n} state={known.get(n.name)} at={at} prefix={prefix} dragged={() => !!drag.current?.moved} />)}
      </svg> : <Overview d={d} view={v} box={box} known={known} visible={visible} />}
    </div>
    <Legend d={d} />
  </>
}

// edgesIn returns the edges whose ends are around the view. If there are very many, only those with an end in view.
function edgesIn(d: Drawing, x: number, y: number, right: number, low: number) {
  const out = d.edges.filter(e => {
    const a = d.nodes[e.from], b = d.nodes[e.to]
    return a.x < right && b.x + b.width > x && Math.min(a.y, b.y) < low && Math.max(a.y, b.y) + 50 > y
  })
  return out.slice(0, 3000)
}

function NodeBox({ n, state, at, prefix, dragged }: { n: Node; state?: State; at: At; prefix: string; dragged: () => boolean }) {
  if (n.kind === 'output') return <g class="node output" transform={`translate(${n.x} ${n.y})`}><title>{n.text}</title><rect width={n.width} height={n.height} rx={13} /><text x={14} y={17}>{n.label}</text></g>
  const s = state?.step, status = s ? (s.asks ? 'asks' : s.status) : 'pending', address = prefix + n.name
  const parts = state?.parts.length ? count(state.parts) : []
  const total = parts.reduce((m, c) => m + c[1], 0)
  const line = parts.length && (n.many || n.call) ? parts.map(([w, k]) => `${k} ${word(w as any)}`).join(', ') : s?.asks ? 'waits for approval' : s?.cached ? 'cached' : s ? word(s.status) : 'pending'
  let x = 0
  return <g class={`node ${status} ${n.kind}`} transform={`translate(${n.x} ${n.y})`}>
    <title>{n.text}{s?.why ? '\n' + s.why : ''}</title>
    <a href={toRun(at, { step: address })} onClick={e => { e.preventDefault(); if (!dragged()) go(toRun(at, { step: address })) }}>
      <rect width={n.width} height={n.height} rx={7} />
      <rect class="stripe" width={5} height={n.height} rx={2.5} />
      <text class="name" x={14} y={19}>{n.label}</text>
      <text class="mark" x={14} y={36}>{clip(line + (n.marks?.length && n.height > 40 ? ' · ' + n.marks.join(' · ') : ''), Math.floor((n.width - 20) / 6.6))}</text>
      {total > 1 ? <g class="parts">{parts.map(([w, k]) => { const from = x; x += k / total * (n.width - 14); return <rect class={w} x={8 + from} y={n.height - 6} width={Math.max(1, k / total * (n.width - 14))} height={4} /> })}</g> : null}
    </a>
    {n.call ? <a href={'#'} class="open" aria-label={`Open the pipeline that ${n.name} calls`} onClick={e => { e.preventDefault(); change({ call: address }) }}><rect x={n.width - 26} y={4} width={22} height={20} rx={4} /><text x={n.width - 15} y={18} text-anchor="middle">⤢</text></a> : null}
  </g>
}

function clip(text: string, most: number): string { return text.length <= most ? text : text.slice(0, Math.max(1, most - 1)) + '…' }

// Overview draws many nodes as rectangles with the color of their status.
function Overview({ d, view, box, known, visible }: { d: Drawing; view: View; box: { width: number; height: number }; known: Map<string, State>; visible: Node[] }) {
  const ref = useRef<HTMLCanvasElement>(null)
  const [, redraw] = useState(0)
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)'), change = () => redraw(n => n + 1)
    dark.addEventListener('change', change)
    return () => dark.removeEventListener('change', change)
  }, [])
  useEffect(() => {
    const c = ref.current!, ratio = devicePixelRatio || 1, g = c.getContext('2d')!
    c.width = box.width * ratio
    c.height = box.height * ratio
    const style = getComputedStyle(c)
    const colors: Record<string, string> = { asks: style.getPropertyValue('--asks') }
    for (const s of statuses) colors[s] = style.getPropertyValue('--' + s.replace('_', '-'))
    g.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, -view.x * ratio * view.scale, -view.y * ratio * view.scale)
    if (d.edges.length < 4000) {
      g.strokeStyle = style.getPropertyValue('--line')
      g.lineWidth = 1 / view.scale
      for (const e of d.edges) g.stroke(new Path2D(e.path))
    }
    // What needs attention is drawn last and larger, so that one failed step among 10,000 can be seen.
    const rank = (n: Node) => { const s = known.get(n.name)?.step; return !s ? 0 : s.status === 'failed' || s.status === 'timed_out' ? 3 : s.asks || s.status === 'running' ? 2 : 1 }
    for (const n of [...visible].sort((a, b) => rank(a) - rank(b))) {
      const s = known.get(n.name)?.step, least = (rank(n) > 1 ? 7 : 1.5) / view.scale
      const width = Math.max(n.width, least), height = Math.max(n.height, least)
      g.fillStyle = colors[s ? (s.asks ? 'asks' : s.status) : 'pending']
      g.fillRect(n.x - (width - n.width) / 2, n.y - (height - n.height) / 2, width, height)
    }
  })
  return <canvas ref={ref} style={{ width: `${box.width}px`, height: `${box.height}px` }} role="img" aria-label={`${visible.length} steps, colored by status; zoom in to see their names`} />
}

function Legend({ d }: { d: Drawing }) {
  const kinds = new Set(d.edges.map(e => e.kind))
  const words: [string, string][] = [['soft', 'may be skipped'], ['order', 'only the order'], ['status', 'waits for any end']]
  const shown = words.filter(w => kinds.has(w[0]))
  return shown.length ? <p class="legend">{shown.map(([k, w]) => <span><svg width="30" height="8" aria-hidden="true"><path class={'edge ' + k} d="M0 4h30" /></svg> {w}</span>)}</p> : null
}
