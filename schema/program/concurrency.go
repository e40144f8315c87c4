package program

// MaxGroup is the maximum number of slots of a group. The holders are stored in one object of the cluster.
const MaxGroup = 256

// Concurrency places a step in a concurrency group. At most Limit steps of the group hold a slot at a time, over all runs of the
// project on one machine or in one namespace. All steps of a project that name a group have the same limit for it.
type Concurrency struct {
	Group string `json:"group"`
	Limit int    `json:"limit"`
	// Skip makes the step be skipped if all slots are held. Otherwise it waits for a slot.
	Skip bool `json:"skip,omitempty"`
}

// Grouped reports whether a step of the program, or of a pipeline that it calls, is in a group.
func (p *Program) Grouped() bool {
	for _, s := range p.Every() {
		if s.Concurrency != nil {
			return true
		}
	}
	return false
}
