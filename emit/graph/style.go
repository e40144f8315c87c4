package graph

import (
	"fmt"
	"strings"

	"pipec.dev/pipec/schema/program"
)

// heads are the arrow heads. Each kind of edge has its own, because not all viewers let a marker inherit the color of
// its line.
func heads() string {
	var b strings.Builder
	b.WriteString("<defs>")
	for _, k := range []program.NeedKind{program.NeedOutput, program.NeedSoft, program.NeedOrder, program.NeedStatus, needResult} {
		fmt.Fprintf(&b, `<marker id="%s" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto"><path class="head %s" d="M0 0.8L7 4L0 7.2z"/></marker>`, k, k)
	}
	b.WriteString("</defs>\n")
	return b.String()
}

// style is the style sheet of the picture. Colors follow the reader's light or dark mode.
const style = `<style>
.ground { fill: #ffffff }
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1e293b }
.title { font-size: 14px; font-weight: 600 }
.mark { font-size: 11px; font-weight: 400; fill: #64748b }
.step > rect { fill: #f8fafc; stroke: #94a3b8; stroke-width: 1.2 }
.step > text:not(.mark) { font-weight: 600 }
.last > rect { fill: #f5f3ff; stroke: #a78bfa }
.result > rect { fill: #ecfdf5; stroke: #34d399; stroke-width: 1.2 }
.rule { stroke: #e2e8f0; fill: none }
.port text { font-size: 11px; fill: #475569 }
.port circle { fill: #6366f1; stroke: #ffffff; stroke-width: 1 }
.free circle { fill: #ffffff; stroke: #94a3b8 }
.out text { text-anchor: end }
.edge path, .key path { fill: none; stroke: #818cf8; stroke-width: 1.5 }
.edge text { font-size: 10px; fill: #64748b; text-anchor: middle; stroke: #ffffff; stroke-width: 3; paint-order: stroke }
.head { fill: #818cf8 }
.head.order { fill: #64748b }
.head.status { fill: #d97706 }
.head.result { fill: #34d399 }
.soft path { stroke-dasharray: 6 4 }
.order path, .status path { stroke-dasharray: 1.5 3.5; stroke-linecap: round }
.edge.order path, .key.order path { stroke: #64748b }
.edge.status path, .key.status path { stroke: #d97706 }
.edge.result path { stroke: #34d399 }
.edge:hover path { stroke: #db2777; stroke-width: 2.5 }
.group rect { fill: none; stroke: #c4b5fd; stroke-dasharray: 5 4 }
.group text { font-size: 11px; fill: #7c3aed }
@media (prefers-color-scheme: dark) {
.ground { fill: #0f172a }
text { fill: #e2e8f0 }
.mark { fill: #94a3b8 }
.step > rect { fill: #1e293b; stroke: #475569 }
.last > rect { fill: #2e1065; stroke: #7c3aed }
.result > rect { fill: #064e3b; stroke: #10b981 }
.rule { stroke: #334155 }
.port text { fill: #cbd5e1 }
.port circle { fill: #818cf8; stroke: #0f172a }
.free circle { fill: #0f172a; stroke: #64748b }
.edge text { fill: #94a3b8; stroke: #0f172a }
.edge.order path, .key.order path { stroke: #94a3b8 }
.head.order { fill: #94a3b8 }
.group rect { stroke: #6d28d9 }
.group text { fill: #c4b5fd }
}
</style>
`
