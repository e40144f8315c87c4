package record

// Selection is the part of a run's pipeline that takes part in the run, as Run.Only lists it.
type Selection struct {
	whole map[Address]bool // they take part with all that is in them
	part  map[Address]bool // something in them takes part
}

// Select returns the selection of a list of addresses. An empty list selects everything.
func Select(only []string) *Selection {
	s := &Selection{whole: make(map[Address]bool, len(only)), part: map[Address]bool{}}
	for _, name := range only {
		at := Address(name)
		s.whole[at] = true
		for above, ok := at.Parent(); ok; above, ok = above.Parent() {
			s.part[above] = true
		}
	}
	return s
}

// All reports whether everything is selected.
func (s *Selection) All() bool { return len(s.whole) == 0 }

// Has reports whether a step, or something in it, takes part.
func (s *Selection) Has(at Address) bool { return s.part[at] || s.Whole(at) }

// Whole reports whether a step takes part with all that is in it.
func (s *Selection) Whole(at Address) bool {
	if s.All() {
		return true
	}
	for ok := true; ok; at, ok = at.Parent() {
		if s.whole[at] {
			return true
		}
	}
	return false
}
