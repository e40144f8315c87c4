// Package plan defines the faults that a simulated run meets: a fault is a mode at a point, and a point is one call, named by who
// sends it, its verb, its object, and its number among the calls of that name in its run. A cell is a reference run with a seed and a
// list of faults, and has one line of text from which it can be repeated.
//
// The package carries out nothing: test/faults/world does.
package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// The senders of calls.
const (
	Coordinator = "coordinator" // all coordinators of a run together
	Step        = "step"        // the wrappers of steps
	Node        = "node"        // the kubelet: its verbs are the moments of a pod's life
)

// Point is a call.
type Point struct {
	Run               string // the name of the run, if it is not the first one of the simulation
	Who, Verb, Object string
	N                 int // from 1
}

func (p Point) String() string {
	who := p.Who
	if p.Run != "" {
		who = p.Run + "/" + who
	}
	return fmt.Sprintf("%s:%s:%s#%d", who, p.Verb, p.Object, p.N)
}

// Fault is what happens at a point.
type Fault struct {
	Mode string
	At   Point
}

func (f Fault) String() string { return f.Mode + "@" + f.At.String() }

// Cell is one simulation.
type Cell struct {
	Run    string // the name of the reference run
	Seed   uint64 // decides the order of answers and events, and the kind of server
	Faults []Fault
}

func (c Cell) String() string {
	parts := []string{c.Run + "~" + strconv.FormatUint(c.Seed, 10)}
	for _, f := range c.Faults {
		parts = append(parts, f.String())
	}
	return strings.Join(parts, " ")
}

// Parse reads what Cell.String has written.
func Parse(text string) (Cell, error) {
	fields := strings.Fields(text)
	bad := fmt.Errorf("%q is not a cell: expected RUN~SEED MODE@[OTHER/]WHO:VERB:OBJECT#N …", text)
	if len(fields) == 0 {
		return Cell{}, bad
	}
	name, seed, ok := strings.Cut(fields[0], "~")
	n, err := strconv.ParseUint(seed, 10, 64)
	if !ok || err != nil {
		return Cell{}, bad
	}
	c := Cell{Run: name, Seed: n}
	for _, field := range fields[1:] {
		mode, at, ok := strings.Cut(field, "@")
		parts := strings.SplitN(at, ":", 3)
		if !ok || len(parts) != 3 {
			return Cell{}, bad
		}
		i := strings.LastIndex(parts[2], "#")
		if i < 0 {
			return Cell{}, bad
		}
		n, err := strconv.Atoi(parts[2][i+1:])
		if err != nil {
			return Cell{}, bad
		}
		if _, ok := Find(mode); !ok {
			return Cell{}, fmt.Errorf("%q is not a cell: there is no fault %q", text, mode)
		}
		p := Point{Who: parts[0], Verb: parts[1], Object: parts[2][:i], N: n}
		if run, who, other := strings.Cut(p.Who, "/"); other {
			p.Run, p.Who = run, who
		}
		c.Faults = append(c.Faults, Fault{mode, p})
	}
	return c, nil
}
