package graph

import (
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

// kind is the kind of a node.
type kind int

const (
	step    kind = iota
	finally      // a step of finally
	result       // an output of the pipeline
)

// needResult joins a step and an output of the pipeline.
const needResult program.NeedKind = "result"

// node is a drawn node, and edge joins two nodes.
type node struct {
	kind   kind
	name   string
	step   *program.Step   // of a step
	result *program.Result // of a result
	marks  []string        // properties of a step, one word each
	layer  int             // the length of the longest chain of steps before it
}

type edge struct {
	from, to int // nodes
	kind     program.NeedKind
	links    []link
}

// link is one dependency of an edge.
type link struct {
	output string // output, or the property of the step's end that is used: "status"
	typ    string // "" if it is not an output
	use    string // the use: an input's name, or "command", "env NAME", "when"
	input  bool   // use is an input
}

type model struct {
	nodes  []node
	edges  []edge
	layers int // of steps and results; the layers of finally follow
}

// newModel reads a program. It accepts programs that the compiler would not produce: unknown names are ignored, and
// cycles are drawn.
func newModel(p *program.Program) *model {
	m := &model{}
	byName := map[string]int{}
	for i := range p.Steps {
		byName[p.Steps[i].Name] = len(m.nodes)
		m.nodes = append(m.nodes, stepNode(step, &p.Steps[i]))
	}
	for i := range p.Finally {
		byName[p.Finally[i].Name] = len(m.nodes)
		m.nodes = append(m.nodes, stepNode(finally, &p.Finally[i]))
	}
	b := joiner{m: m, byName: byName}
	for i := range m.nodes {
		b.step(i)
	}
	for i := range p.Outputs {
		b.result(&p.Outputs[i])
	}
	m.rank()
	return m
}

func stepNode(k kind, s *program.Step) node {
	return node{kind: k, name: s.Name, step: s, marks: marks(s)}
}

// marks returns the properties of a step that a reader of the graph needs, apart from its dependencies.
func marks(s *program.Step) []string {
	var out []string
	switch {
	case s.ForEach != nil && s.ForEach.MaxParallel > 0:
		out = append(out, fmt.Sprintf("for each, %d at once", s.ForEach.MaxParallel))
	case s.ForEach != nil:
		out = append(out, "for each")
	}
	if s.Call != nil {
		name, _, _ := strings.Cut(s.Call.Pipeline, " ")
		out = append(out, "calls "+name)
	}
	if s.Approval != nil {
		out = append(out, "approval")
	}
	if s.Repeat != nil {
		out = append(out, fmt.Sprintf("up to %d rounds", s.Repeat.Max))
	}
	if c := s.Concurrency; c != nil {
		out = append(out, fmt.Sprintf("group %s, %d at once", c.Group, c.Limit))
	}
	if s.When != nil {
		out = append(out, "when")
	}
	if s.Retry.Attempts > 1 {
		out = append(out, fmt.Sprintf("retry %d", s.Retry.Attempts))
	}
	if s.Cache != nil {
		out = append(out, "cache")
	}
	switch {
	case s.Timeout > 0:
		out = append(out, "timeout "+duration(s.Timeout))
	case s.Approval != nil && s.Approval.Timeout > 0:
		out = append(out, "timeout "+duration(s.Approval.Timeout))
	}
	if s.ContinueOnFailure {
		out = append(out, "may fail")
	}
	return out
}

// duration omits parts that are zero: 1h instead of 1h0m0s.
func duration(d program.Duration) string {
	s := d.D().String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// joiner creates the edges. It keeps an index of the current node's edges only.
type joiner struct {
	m      *model
	byName map[string]int
	into   map[int]int // from -> edge, for the current node
}

func (b *joiner) step(to int) {
	b.into = map[int]int{}
	s := b.m.nodes[to].step
	for _, n := range s.Needs {
		if from, ok := b.byName[n.Step]; ok {
			b.edge(from, to, n.Kind)
		}
	}
	for i := range s.Inputs {
		b.links(to, &s.Inputs[i].Value, s.Inputs[i].Name, true)
	}
	for i := range s.Command {
		b.links(to, &s.Command[i], "command", false)
	}
	b.links(to, s.CommandList, "command", false)
	b.links(to, s.Args, "args", false)
	for i := range s.Env {
		b.links(to, &s.Env[i].Value, "env "+s.Env[i].Name, false)
	}
	if s.ForEach != nil {
		b.links(to, &s.ForEach.Value, "for_each", false)
	}
	b.links(to, s.When, "when", false)
	if s.Approval != nil {
		b.links(to, &s.Approval.Message, "message", false)
	}
}

func (b *joiner) result(r *program.Result) {
	b.into = map[int]int{}
	b.m.nodes = append(b.m.nodes, node{kind: result, name: r.Name, result: r})
	to := len(b.m.nodes) - 1
	for _, ref := range r.Value.Refs() {
		if from, output, ok := b.producer(ref); ok {
			e := b.edge(from, to, needResult)
			b.link(e, link{output: output, typ: b.typ(from, output)})
		}
	}
}

func (b *joiner) edge(from, to int, kind program.NeedKind) int {
	if e, ok := b.into[from]; ok {
		return e
	}
	b.into[from] = len(b.m.edges)
	b.m.edges = append(b.m.edges, edge{from: from, to: to, kind: kind})
	return b.into[from]
}

func (b *joiner) links(to int, v *program.Value, use string, input bool) {
	for _, ref := range v.Refs() {
		from, output, ok := b.producer(ref)
		if !ok {
			continue
		}
		kind := program.NeedOutput
		typ := b.typ(from, output)
		if typ == "" {
			kind = program.NeedStatus
		}
		b.link(b.edge(from, to, kind), link{output: output, typ: typ, use: use, input: input})
	}
}

func (b *joiner) link(e int, l link) {
	if !slices.Contains(b.m.edges[e].links, l) {
		b.m.edges[e].links = append(b.m.edges[e].links, l)
	}
}

// producer splits a reference to a step, or to an instance of one. A whole step with instances has no single output.
func (b *joiner) producer(ref string) (from int, output string, ok bool) {
	if r, ok := expr.StepRef(ref); ok && r.Attr != "" {
		if from, ok = b.byName[r.Step]; ok {
			return from, r.Attr, true
		}
	}
	// The compiler gives no step a name that looks like an instance, but a program may come from elsewhere.
	rest, isStep := strings.CutPrefix(ref, "step.")
	i := strings.LastIndexByte(rest, '.')
	if !isStep || i < 0 { // each.key, also if a step is named each
		return 0, "", false
	}
	from, ok = b.byName[rest[:i]]
	return from, rest[i+1:], ok
}

func (b *joiner) typ(from int, output string) string {
	for _, o := range b.m.nodes[from].step.Outputs {
		if o.Name == output {
			return o.Type
		}
	}
	return ""
}

// rank sets each node's layer: one more than the highest layer among its dependencies. The layers of finally come after
// all others.
func (m *model) rank() {
	waits := make([]int, len(m.nodes))
	out := m.outgoing()
	for _, e := range m.edges {
		waits[e.to]++
	}
	var ready []int
	for i := range m.nodes {
		if waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	done := make([]bool, len(m.nodes))
	for next := 0; ; {
		if len(ready) == 0 {
			// All remaining nodes are in or behind a cycle: break it at the first node.
			for next < len(done) && done[next] {
				next++
			}
			if next == len(done) {
				break
			}
			ready = append(ready, next)
		}
		i := ready[0]
		ready = ready[1:]
		if done[i] {
			continue
		}
		done[i] = true
		for _, e := range out[i] {
			to := m.edges[e].to
			if done[to] {
				continue
			}
			if m.nodes[to].kind == finally == (m.nodes[i].kind == finally) {
				m.nodes[to].layer = max(m.nodes[to].layer, m.nodes[i].layer+1)
			}
			if waits[to]--; waits[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	m.settle()
}

func (m *model) settle() {
	for _, n := range m.nodes {
		if n.kind != finally {
			m.layers = max(m.layers, n.layer+1)
		}
	}
	for i := range m.nodes {
		if m.nodes[i].kind == finally {
			m.nodes[i].layer += m.layers
		}
	}
}

func (m *model) outgoing() [][]int {
	out := make([][]int, len(m.nodes))
	for i, e := range m.edges {
		out[e.from] = append(out[e.from], i)
	}
	return out
}

// byLayer returns the nodes of each layer, in the program's order.
func (m *model) byLayer() [][]int {
	var out [][]int
	for i, n := range m.nodes {
		for len(out) <= n.layer {
			out = append(out, nil)
		}
		out[n.layer] = append(out[n.layer], i)
	}
	return out
}
