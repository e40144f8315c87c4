package engine

import (
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// phase says where a node is on its way.
type phase uint8

const (
	absent   phase = iota // outside of `run --step`
	pending               // waits for others
	ready                 // waits for room
	queued                // waits for a place in its group
	checking              // waits for the cache's answer
	running               // has an attempt that has not ended
	waiting               // waits for the time of its next attempt
	opened                // has nodes of its own that have not ended
	asking                // waits for an answer
	ended
)

// role says what a node is made of.
type role uint8

const (
	task     role = iota // attempts
	fan                  // instances, one for each element
	loop                 // rounds, one after the other
	call                 // the steps of another pipeline
	question             // an approval: asked, and answered
)

// node is a step in a run, an instance of one, or a round.
type node struct {
	step   *program.Step
	role   role
	addr   string
	scope  int // in which its references are looked up
	group  int // of the scope. 0: a step, 1: of finally
	parent int // the fan or the loop that it is part of; -1
	place  place
	limits []int

	phase      phase
	waits      int      // what has to happen before it is decided whether it runs
	dependants []int    // nodes that wait for its end; one entry a need
	wanting    []wanter // nodes that wait for one instance, as long as there are none
	held       bool     // its result may yet be taken over from the run that this one reruns

	key, item cty.Value              // each.key and each.value of an instance, and of what is part of it
	element   *record.Datum          // each.value, where it came from a list or a map that is recorded
	carried   map[string]cty.Value   // of a round: inputs from the round before
	children  []int                  // instances, in order; rounds
	byKey     map[string]int         // instances
	open      int                    // children that have not ended
	inner     int                    // the scope of a call; -1
	all       map[string]*collection // what was collected of its instances

	spec     *Spec // from its first start to its end
	stopping string
	asking   bool // for a place in its group; or it has one, and has not started since
	inside   bool // it has a place in its group
	entry    int  // the attempt that its place is for
	attempts int
	users    int // failures of the user's
	infra    int // failures of the infrastructure's
	ooms     int
	last     *record.Result // of the attempt that ended last

	end    record.StepEnd
	root   string // skipped: what it comes down to, as dependants say it
	values []cty.Value
}

// wanter is a node that waits for the instance with a key.
type wanter struct {
	node int
	key  string
}

// scope is a pipeline at work: the program's own, or one that is called.
type scope struct {
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
	halted      [2]string // why no step, and no finally step, is started any more; "" while they are
	failed      [2][]int  // the nodes that make it fail
}

// roleOf says what comes of a step, or of an instance of it, or of a round.
func roleOf(s *program.Step, instance, round bool) role {
	switch {
	case s.ForEach != nil && !instance && !round:
		return fan
	case s.Repeat != nil && !round:
		return loop
	case s.Call != nil:
		return call
	case s.Approval != nil:
		return question
	}
	return task
}

// plain says whether n is the step itself, and not an instance or a round of it.
func (n *node) plain() bool { return n.parent < 0 }

// maxNodes is how many nodes a run may have: a program is small that calls itself into millions.
const maxNodes = 1 << 20

// add makes a node.
func (s *State) add(n node) int {
	i := len(s.nodes)
	n.inner = -1
	n.end.Name = n.addr
	s.nodes = append(s.nodes, n)
	s.byAddr[n.addr] = i
	return i
}
