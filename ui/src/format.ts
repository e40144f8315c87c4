// How times, sizes and values are written.

export function duration(ms: number): string {
  if (!(ms >= 0)) return ''
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const s = Math.round(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24)
  if (h < 1) return `${m} min ${s % 60} s`
  if (d < 1) return `${h} h ${m % 60} min`
  return `${d} d ${h % 24} h`
}

export function took(from?: string, to?: string, now = Date.now()): string {
  if (!from) return ''
  return duration((to ? Date.parse(to) : now) - Date.parse(from))
}

export function time(text?: string): string {
  if (!text) return ''
  const t = new Date(text), p = (n: number) => String(n).padStart(2, '0')
  return `${t.getFullYear()}-${p(t.getMonth() + 1)}-${p(t.getDate())} ${p(t.getHours())}:${p(t.getMinutes())}:${p(t.getSeconds())}`
}

export function ago(text: string, now = Date.now()): string {
  const s = Math.max(0, (now - Date.parse(text)) / 1000)
  if (s < 60) return `${Math.floor(s)} s ago`
  if (s < 3600) return `${Math.floor(s / 60)} min ago`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`
  return `${Math.floor(s / 86_400)} d ago`
}

export function size(n = 0): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let i = 0
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++ }
  return `${i ? n.toFixed(1) : n} ${units[i]}`
}

export function value(v: unknown): string {
  if (v === undefined) return ''
  if (typeof v === 'number') return Number.isInteger(v) ? String(v) : String(Number(v.toPrecision(6)))
  return typeof v === 'string' ? v : JSON.stringify(v)
}

export function plural(n: number, what: string): string { return n === 1 ? `1 ${what}` : `${n.toLocaleString('en')} ${what}s` }
