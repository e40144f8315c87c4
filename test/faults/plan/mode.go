package plan

import (
	"slices"
	"time"
)

// Mode is a way in which a run is disturbed.
type Mode struct {
	Name string
	Doc  string
	// At reports whether the mode has a meaning at a point.
	At func(Point) bool
	// What the fault may change in the run's end: steps may have more attempts, the run may be cancelled or have no end.
	Repeats, Cancels, NoEnd bool
	// Fails says that steps may fail for good, and with them the run.
	Fails bool
	// Crash says that the fault costs writes of its own, by a coordinator that is started again.
	Crash bool
	// Outage is how long the fault keeps all runs of the simulation from the store. 0: the fault is about the run that sends the call.
	Outage time.Duration
}

func of(who string) func(Point) bool { return func(p Point) bool { return p.Who == who } }

func api(p Point) bool {
	return p.Who == Coordinator && slices.Contains([]string{"GET", "LIST", "WATCH", "POST", "PUT", "DELETE"}, p.Verb)
}

func apiWrite(p Point) bool {
	return api(p) && slices.Contains([]string{"POST", "PUT", "DELETE"}, p.Verb)
}

func inStore(p Point) bool { return p.Who != Node && !api(p) }

func atNode(verb string) func(Point) bool {
	return func(p Point) bool { return p.Who == Node && p.Verb == verb }
}

// Modes are all modes, in the order of the report.
var Modes = []Mode{
	{Name: "kill-before", Doc: "the coordinator is killed before the call", At: of(Coordinator), Crash: true},
	{Name: "kill-after", Doc: "the coordinator is killed when the call was obeyed", At: of(Coordinator), Crash: true},
	{Name: "move-before", Doc: "as kill-before, and another pod takes its place", At: of(Coordinator), Crash: true},
	{Name: "move-after", Doc: "as kill-after, and another pod takes its place", At: of(Coordinator), Crash: true},
	{Name: "stop", Doc: "the coordinator gets SIGTERM, and is started again", At: of(Coordinator), Crash: true},
	{Name: "401", Doc: "the API server doesn't know the client, once", At: api},
	{Name: "403", Doc: "the API server forbids the call, once", At: api},
	{Name: "409", Doc: "the API server answers a write with a conflict, once", At: apiWrite},
	{Name: "422", Doc: "the API server answers a change or a deletion with Invalid, once", At: func(p Point) bool { return apiWrite(p) && p.Verb != "POST" }, Fails: true},
	{Name: "429", Doc: "the server is busy, once", At: func(p Point) bool { return p.Who != Node }},
	{Name: "500", Doc: "the server fails, once", At: func(p Point) bool { return p.Who != Node }},
	{Name: "reset", Doc: "the connection ends before the call is obeyed", At: func(p Point) bool { return p.Who != Node }},
	{Name: "lost", Doc: "the call is obeyed, and its answer is lost", At: func(p Point) bool { return p.Who != Node }},
	{Name: "mute", Doc: "the call is obeyed, and no answer comes", At: func(p Point) bool { return api(p) && p.Verb != "WATCH" && p.Verb != "LIST" }},
	{Name: "late", Doc: "the connection ends, and the call is obeyed 5 s later", At: apiWrite},
	{Name: "cut-short", Doc: "the coordinator has no network for 15 s, while a successor works", At: of(Coordinator), Crash: true},
	{Name: "cut-lease", Doc: "the same for 50 s; the successor waits for the Lease", At: of(Coordinator), Crash: true},
	{Name: "cut-long", Doc: "the same for 3 min, after the successor has ended the run", At: of(Coordinator), Crash: true},
	{Name: "cut-api", Doc: "the same for 50 s, and the store can be reached", At: of(Coordinator), Crash: true},
	{Name: "watch-cut", Doc: "all watches are interrupted", At: of(Coordinator)},
	{Name: "watch-410", Doc: "all watches are interrupted, and their versions have expired", At: of(Coordinator)},
	{Name: "watch-twice", Doc: "the watches repeat their next events", At: of(Coordinator)},
	{Name: "watch-held", Doc: "the watches report nothing for 20 s", At: of(Coordinator)},
	{Name: "watch-blind", Doc: "no watch and no list for 40 s; then the versions have expired", At: of(Coordinator)},
	{Name: "vanish-blind", Doc: "as watch-blind, and meanwhile all pods vanish", At: of(Coordinator), Repeats: true},
	{Name: "store-1m", Doc: "the store can't be reached for a minute", At: inStore, Outage: time.Minute},
	{Name: "store-20m", Doc: "the store can't be reached for 20 min, longer than its grace", At: inStore, Repeats: true, Fails: true, Crash: true, Outage: 20 * time.Minute},
	{Name: "denied", Doc: "the store refuses everybody for 40 s", At: inStore, Outage: 40 * time.Second},
	{Name: "clock", Doc: "the node's clock is an hour ahead", At: atNode("START")},
	{Name: "clock-behind", Doc: "the node's clock is an hour behind", At: atNode("START")},
	{Name: "vanish", Doc: "the pod and its object vanish", At: of(Node), Repeats: true},
	{Name: "evict", Doc: "the node evicts the pod", At: atNode("START"), Repeats: true},
	{Name: "preempt", Doc: "the cluster needs the room of the pod", At: atNode("PROCESS"), Repeats: true},
	{Name: "delete-pod", Doc: "somebody deletes the pod", At: atNode("PROCESS"), Repeats: true},
	{Name: "silent", Doc: "the node isn't heard of for 5 min", At: atNode("PROCESS")},
	{Name: "die", Doc: "the wrapper is killed", At: of(Node), Repeats: true},
	{Name: "die-at", Doc: "the wrapper is killed when the store has obeyed its call", At: of(Step), Repeats: true},
	{Name: "lease-gone", Doc: "somebody deletes the Lease of the run", At: of(Coordinator)},
	{Name: "cancel", Doc: "the user cancels the run", At: of(Coordinator), Cancels: true},
	{Name: "delete-job", Doc: "the user deletes the run's Job", At: of(Coordinator), Cancels: true, NoEnd: true},
}

// Find returns a mode by its name.
func Find(name string) (Mode, bool) {
	for _, m := range Modes {
		if m.Name == name {
			return m, true
		}
	}
	return Mode{}, false
}
