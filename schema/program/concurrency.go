package program

// MaxGroup is the most places that a group may have: who holds them stands in one object of a cluster.
const MaxGroup = 256

// Concurrency is a place in a group: of all runs of the project, on one machine or in one namespace, as many hold one at
// a time as the group's limit says. All steps of a project that name a group have the same limit for it.
type Concurrency struct {
	Group string `json:"group"`
	Limit int    `json:"limit"`
	// Skip says that the step is skipped where all places are held; else it waits for one.
	Skip bool `json:"skip,omitempty"`
}

// Grouped says whether a step of the program, or of what it calls, is in a group.
func (p *Program) Grouped() bool {
	for _, s := range p.Every() {
		if s.Concurrency != nil {
			return true
		}
	}
	return false
}
