package engine

import (
	"github.com/zclconf/go-cty/cty"

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

// kind says what a node is made of.
type kind uint8

const (
	process  kind = iota // attempts
	fan                  // instances, one for each element
	loop                 // rounds, one after the other
	call                 // the steps of another pipeline
	approval             // an approval: asked, and answered
)

// node is a step in a run, an instance of one, or a round.
type node struct {
	step     *program.Step
	kind     kind
	addr     string
	frame    int // in which its references are looked up
	section  int // of the scope. 0: a step, 1: of finally
	parent   int // the fan or the loop that it is part of; -1
	position position
	limits   []int

	phase           phase
	blockers        int              // what has to happen before it is decided whether it runs
	dependants      []int            // nodes that wait for its end; one entry a need
	instanceWaiters []instanceWaiter // nodes that wait for one instance, as long as there are none
	awaitsKept      bool             // its result may yet be taken over from the run that this one reruns

	key, item    cty.Value              // each.key and each.value of an instance, and of what is part of it
	element      *record.Datum          // each.value, where it came from a list or a map that is recorded
	carried      map[string]cty.Value   // of a round: inputs from the round before
	children     []int                  // instances, in order; rounds
	byKey        map[string]int         // instances
	openChildren int                    // children that have not ended
	inner        int                    // the scope of a call; -1
	collections  map[string]*collection // what was collected of its instances

	spec          *Spec // from its first start to its end
	stopping      string
	requested     bool // for a place in its group; or it has one, and has not started since
	hasSlot       bool // it has a place in its group
	slotAttempt   int  // the attempt that its place is for
	attempts      int
	userFailures  int // failures of the user's
	infraFailures int // failures of the infrastructure's
	ooms          int
	lastResult    *record.Result // of the attempt that ended last

	end       record.StepEnd
	rootCause string // skipped: what it comes down to, as dependants say it
	values    []cty.Value
}

// instanceWaiter is a node that waits for the instance with a key.
type instanceWaiter struct {
	node int
	key  string
}

// frame is a pipeline at work: the program's own, or one that is called.
type frame struct {
	call      int // the node that calls it; -1
	name      string
	steps     [2][]program.Step // and those of finally
	outputs   []program.Result
	onFailure string
	timeout   program.Duration
	params    map[string]cty.Value
	data      map[string]*record.Datum // params that came as they are recorded
	byName    map[string]int           // nodes
	nodes     [2][]int
	limits    []int  // of its nodes
	holds     []Hold // what is held while it is open: the places of the calls that it is part of

	left        [2]int // steps, and finally steps, that have not ended
	finallyOpen bool   // all steps have ended
	over        bool
	timedOut    bool
	cancelled   bool      // of the program itself
	halted      [2]string // why no step, and no finally step, is started any more; "" while they are
	failed      [2][]int  // the nodes that make it fail
}

// kindOf says what comes of a step, or of an instance of it, or of a round.
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

// isStep says whether n is the step itself, and not an instance or a round of it.
func (n *node) isStep() bool { return n.parent < 0 }

// maxNodes is how many nodes a run may have: a program is small that calls itself into millions.
const maxNodes = 1 << 20

// add makes a node.
func (g *graph) add(n node) int {
	i := len(g.nodes)
	n.inner = -1
	n.end.Name = n.addr
	g.nodes = append(g.nodes, n)
	g.byAddr[n.addr] = i
	return i
}
