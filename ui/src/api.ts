// The types of the server (internal/app/web/shape), and requests to it.

export type Status = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled' | 'timed_out' | 'lost' | 'damaged'

export interface Session { version: string; token: string; stacks: { name: string; kind: string }[] }

export interface Row {
  stack: string; pipeline: string; name: string; status: Status; created_at: string; ended_at?: string; message?: string
  rerun_of?: string; schedule?: string; params?: Record<string, unknown>; outputs?: Record<string, unknown>
}
export interface List { runs: Row[]; more: boolean; pipelines: string[]; faults?: string[] }

export interface Datum {
  name: string; type: string; view: string; value?: unknown; cut?: boolean; size?: number; digest?: string; format?: string
  elems?: Datum[]; count?: number; source?: string
}
export interface Step {
  name: string; status: Status; cached?: boolean; kept?: boolean; attempts?: number; why?: string
  started_at?: string; ended_at?: string; asks?: boolean
}
export interface Run extends Row {
  namespace: string; program: string; scheduled_at?: string; inputs?: Datum[]; results?: Datum[]; steps: Step[]
  commands: { show: string; logs: string; cancel: string; rerun: string }
}
export interface Box { x: number; y: number; width: number; height: number }
export interface Node extends Box {
  kind: 'step' | 'finally' | 'output'; name: string; label: string; marks?: string[]; call?: boolean; many?: boolean; text: string
}
export interface Drawing {
  width: number; height: number; nodes: Node[]; finally?: Box
  edges: { from: number; to: number; kind: string; path: string; text: string }[]
}
export interface Bar {
  step: string; attempt?: number; status: Status; ready_at?: string; queued_at?: string; ran_at?: string; ended_at?: string; critical?: boolean
}
export interface Timeline { from: string; to?: string; bars: Bar[]; cut?: number }
export interface Attempt {
  attempt: number; status: Status; class?: string; exit_code?: number; signal?: string; reason?: string; message?: string; node?: string
  started_at: string; ended_at: string; bytes: number
}
export interface Explanation extends Step {
  run: string; pipeline: string; of?: string; reason?: string; message?: string; because?: string; when?: string; ready_at?: string
  cache?: { hit?: boolean; run?: string; changed?: string[]; why?: string }
  needs?: { step: string; status: Status }[]
  inputs?: { name: string; type: string; from: string; datum?: Datum }[]
  outputs?: Datum[]; tries?: Attempt[]; retry?: number; parts?: Step[]
  ask?: { message: string; type?: string; until?: string; default?: unknown }
  answer?: { by?: string; at?: string; reject?: boolean; reason?: string; value?: unknown }
  defined?: {
    doc?: string; command?: string[]; python?: string; script?: string; image?: string; code?: string; call?: string
    env?: [string, string][]; secrets?: string[]; pod?: unknown
  }
  terminal: string[]; approve?: string; reject?: string
}
export interface Line { n: number; t: string; p?: string }
export interface Plan { command: string; resume: boolean; steps: { step: string; keep: boolean; why?: string; part?: boolean }[]; more?: number; nothing?: string }
export interface Files { files: { path: string; size: number; link?: string; dir?: boolean; view: string }[]; total: number }

export class Fault extends Error {
  constructor(message: string, public hint = '', public status = 0) { super(message) }
}

export type Query = Record<string, string | number | string[] | undefined>

// queryOf writes a query without what is not set.
export function queryOf(q: Query): string {
  const p = new URLSearchParams()
  for (const [name, value] of Object.entries(q)) {
    if (Array.isArray(value)) for (const one of value) p.append(name, one)
    else if (value !== undefined && value !== '') p.set(name, String(value))
  }
  return p.toString()
}

async function request(path: string, init?: RequestInit): Promise<Response> {
  let r: Response
  try {
    r = await fetch(path, init)
  } catch {
    throw new Fault('pipec ui has ended.', 'Start it again, and open the link that it prints.')
  }
  if (r.ok) return r
  const text = await r.text()
  try {
    const f = JSON.parse(text)
    throw new Fault(f.error, f.hint, r.status)
  } catch (e) {
    throw e instanceof Fault ? e : new Fault(text.trim() || r.statusText, '', r.status)
  }
}

export async function get<T>(path: string, q: Query = {}, signal?: AbortSignal): Promise<T> {
  return (await request(`/api/${path}?${queryOf(q)}`, { signal })).json()
}

export async function getText(path: string, q: Query): Promise<{ text: string; cut: number }> {
  const r = await request(`/api/${path}?${queryOf(q)}`)
  return { text: await r.text(), cut: Number(r.headers.get('X-Pipec-Cut') ?? 0) }
}

export async function post<T>(path: string, token: string, body: unknown): Promise<T> {
  const headers = { 'Content-Type': 'application/json', 'X-Pipec-Token': token }
  return (await request('/api/' + path, { method: 'POST', headers, body: JSON.stringify(body) })).json()
}

// listen receives server-sent events until it is stopped or the server sends "end". A lost connection is opened again.
export function listen(path: string, q: Query, on: Record<string, (data: any) => void>, lost?: (is: boolean) => void): () => void {
  const source = new EventSource(`/api/${path}?${queryOf(q)}`)
  for (const [name, f] of Object.entries(on)) {
    source.addEventListener(name, e => {
      lost?.(false)
      f(JSON.parse((e as MessageEvent).data))
    })
  }
  source.addEventListener('end', () => source.close())
  source.addEventListener('fault', () => source.close())
  source.onerror = () => lost?.(true)
  return () => source.close()
}
