package engine

import (
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// phase is where a node is between its creation and its end. doc.go has the table of legal changes.
type phase uint8

const (
	absent     phase = iota // not part of this run: `run --step` names other steps
	pending                 // waits for the nodes that it needs
	ready                   // waits for room under the limits
	queued                  // waits for a slot in its concurrency group
	checking                // waits for the answer of the cache
	running                 // has an attempt that has not ended
	waiting                 // waits until its next attempt is due
	expanded                // has nodes of its own that have not ended
	unanswered              // an approval that waits for its answer
	ended
)

// kind is what a node consists of.
type kind uint8

const (
	process  kind = iota // attempts
	fan                  // instances, one for each element
	loop                 // rounds, one after the other
	call                 // the steps of another pipeline
	approval             // an approval: asked, and answered
)

// node is a step, an instance or a round.
type node struct {
	step     *program.Step
	kind     kind
	addr     string
	frame    int // in which its references are resolved
	section  int // of the frame. 0: a step, 1: a finally step
	parent   int // the node that it is an instance or a round of; -1: none
	position position
	limits   []int

	phase           phase
	blockers        int              // how many events and ends of nodes it still waits for
	dependants      []int            // nodes that wait for its end, once for each need
	instanceWaiters []instanceWaiter // nodes that wait for one of its instances, until it has instances
	awaitsKept      bool             // a result of the run that this one reruns may still come

	key, item    cty.Value              // each.key and each.value of an instance, and of its parts
	element      *record.Datum          // each.value, if it comes from a recorded list or map
	carried      map[string]*source     // of a round: inputs from the previous round
	children     []int                  // instances or rounds, in their order
	byKey        map[string]int         // instances
	openChildren int                    // children that have not ended
	inner        int                    // the frame of a call's last attempt; -1: none yet
	collections  map[string]*collection // values of [*], by output

	spec          *Spec // set from the first start to the end
	stopping      string
	requested     bool // it waits for an answer of its group, or has a slot and has not started since
	hasSlot       bool // it holds a slot in its group
	slotAttempt   int  // the attempt that requested the slot
	attempts      int  // of an approval or a call, how often it was asked or opened
	before        int  // attempts in earlier attempts of the calls that it is part of
	userBefore    int  // those of them that are counted in PIPEC_ATTEMPT
	again         int  // how many of these attempts of calls had this node
	replaced      bool // a later attempt of a call has a node at this address, or none
	userFailures  int  // failures that count against retry.attempts
	infraFailures int  // infrastructure failures
	ooms          int
	avoid         []string       // the nodes on which attempts failed, if the step avoids them
	lastResult    *record.Result // of the attempt that ended last

	end       record.StepEnd
	rootCause string // of a skipped node: the cause as its dependants report it
	values    []cty.Value
}

// instanceWaiter is a node that waits for the instance with a key.
type instanceWaiter struct {
	node int
	key  string
}

// frame is a pipeline that runs: the program itself, or a called pipeline.
type frame struct {
	call      int // the node that calls it; -1: the program itself
	name      string
	steps     [2][]program.Step // steps and finally steps
	outputs   []program.Result
	onFailure string
	timeout   program.Duration
	params    map[string]*source
	again     bool           // an earlier attempt of the call, or of one that it is part of, has failed
	byName    map[string]int // nodes
	nodes     [2][]int
	limits    []int  // limits of its nodes
	slots     []Slot // slots of the calls that it is part of

	left        [2]int // how many steps, and finally steps, have not ended
	finallyOpen bool   // all steps have ended, so that finally runs
	over        bool
	timedOut    bool
	cancelled   bool      // only set for the program itself
	halted      [2]string // why no further step, or finally step, starts; "" while they start
	failed      [2][]int  // the steps, and finally steps, whose failure makes the frame fail
}

// kindOf returns the kind of the node for a step, an instance or a round.
func kindOf(s *program.Step, instance, round bool) kind {
	switch {
	case s.ForEach != nil && !instance && !round:
		return fan
	case s.Repeat != nil && !round:
		return loop
	case s.Call != nil:
		return call
	case s.Approval != nil:
		return approval
	}
	return process
}

// instance returns the instance with a key. Keys are compared as they are, and then in the Unicode form NFC.
func (n *node) instance(key string) (int, bool) {
	if i, ok := n.byKey[key]; ok {
		return i, true
	}
	i, ok := n.byKey[norm.NFC.String(key)]
	return i, ok
}

// number returns the number of the attempt that has started last. It counts the attempts in all attempts of the calls that the node is
// part of, because the number is part of the keys of the attempt in the store.
func (n *node) number() int { return n.before + n.attempts }

// isStep reports whether n is a step, and not an instance or a round.
func (n *node) isStep() bool { return n.parent < 0 }

// maxNodes bounds the nodes of a run, because a small program can call pipelines that multiply into millions of steps.
const maxNodes = 1 << 20

// add adds a node and returns its index. A node of an earlier attempt of a call with the same address is replaced.
func (g *graph) add(n node) int {
	i := len(g.nodes)
	n.inner = -1
	n.end.Name = n.addr
	if old, ok := g.byAddr[n.addr]; ok {
		m := &g.nodes[old]
		n.before, n.userBefore, n.again = m.number(), m.userBefore+m.attempts-m.infraFailures, m.again+1
		n.end.Again, n.avoid = n.again, m.avoid
		m.replaced = true
	}
	g.nodes = append(g.nodes, n)
	g.byAddr[n.addr] = i
	return i
}
