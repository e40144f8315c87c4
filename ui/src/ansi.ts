// The colors of logs: the SGR control sequences of terminals. All other control sequences are left out.

export interface Style { color?: string; back?: string; bold?: boolean; dim?: boolean; italic?: boolean; underline?: boolean; inverse?: boolean }
export interface Span { text: string; style: Style }

// eslint-disable-next-line no-control-regex
const sequence = /\x1b\[([0-9;:<=>?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_]|[\x00-\x08\x0b-\x1f\x7f]/g

function indexed(n: number): string {
  if (n < 16) return `var(--ansi-${n})`
  if (n >= 232) { const v = (n - 232) * 10 + 8; return `rgb(${v} ${v} ${v})` }
  const level = (k: number) => k ? 55 + k * 40 : 0
  const c = n - 16
  return `rgb(${level(Math.floor(c / 36))} ${level(Math.floor(c / 6) % 6)} ${level(c % 6)})`
}

function apply(style: Style, params: string): Style {
  const out = { ...style }, list = params.split(/[;:]/).map(Number)
  for (let i = 0; i < list.length; i++) {
    const n = list[i]
    if (n === 0) for (const k of Object.keys(out)) delete out[k as keyof Style]
    else if (n === 1) out.bold = true
    else if (n === 2) out.dim = true
    else if (n === 3) out.italic = true
    else if (n === 4) out.underline = true
    else if (n === 7) out.inverse = true
    else if (n === 22) out.bold = out.dim = undefined
    else if (n === 23) out.italic = undefined
    else if (n === 24) out.underline = undefined
    else if (n === 27) out.inverse = undefined
    else if (n >= 30 && n <= 37) out.color = indexed(n - 30)
    else if (n >= 90 && n <= 97) out.color = indexed(n - 82)
    else if (n === 39) out.color = undefined
    else if (n >= 40 && n <= 47) out.back = indexed(n - 40)
    else if (n >= 100 && n <= 107) out.back = indexed(n - 92)
    else if (n === 49) out.back = undefined
    else if (n === 38 || n === 48) {
      let c: string | undefined
      if (list[i + 1] === 5 && list[i + 2] >= 0 && list[i + 2] <= 255) { c = indexed(list[i + 2]); i += 2 }
      else if (list[i + 1] === 2 && list.slice(i + 2, i + 5).every(v => v >= 0 && v <= 255) && list.length > i + 4) { c = `rgb(${list[i + 2]} ${list[i + 3]} ${list[i + 4]})`; i += 4 }
      if (c) out[n === 38 ? 'color' : 'back'] = c
    }
  }
  return out
}

// spans splits a line into parts with one style each.
export function spans(text: string): Span[] {
  const out: Span[] = []
  let style: Style = {}, at = 0
  const add = (to: number) => { if (to > at) out.push({ text: text.slice(at, to), style }) }
  for (const m of text.matchAll(sequence)) {
    add(m.index)
    at = m.index + m[0].length
    if (m[2] === 'm') style = apply(style, m[1])
  }
  add(text.length)
  return out
}

export function plain(text: string): string { return text.replace(sequence, '') }

export function css(s: Style): Record<string, string> {
  const out: Record<string, string> = {}
  let [color, back] = s.inverse ? [s.back ?? 'var(--ground)', s.color ?? 'var(--text)'] : [s.color, s.back]
  if (color) out.color = color
  if (back) out.backgroundColor = back
  if (s.bold) out.fontWeight = '700'
  if (s.dim) out.opacity = '.75'
  if (s.italic) out.fontStyle = 'italic'
  if (s.underline) out.textDecoration = 'underline'
  return out
}
