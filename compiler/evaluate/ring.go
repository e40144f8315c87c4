package evaluate

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
)

// maxRing limits the recursion over names that read each other. Only a cycle makes it deep: all other names are evaluated
// after those that they read.
const maxRing = 1000

// ring reports a cycle of names, starting at the one that comes first in the source.
func (s *Values) ring(n *Name) {
	from := 0
	for i, other := range s.stack {
		if other == n {
			from = i
		}
	}
	ring := s.stack[from:]
	first := 0
	for i, other := range ring {
		if before(other, ring[first]) {
			first = i
		}
	}
	text := ""
	d := diag.New("cycle", ring[first].Range, "")
	for i := range ring {
		next := ring[(first+i)%len(ring)]
		text += next.Address + " → "
		if i > 0 {
			d = d.WithRelated(next.Range, "through %s", next.Address)
		}
		next.state, next.value = done, cty.NilVal
	}
	d.Summary = fmt.Sprintf("values depend on each other in a cycle: %s%s", text, ring[first].Address)
	s.diags.Add(d)
}

func before(a, b *Name) bool { return diag.Before(a.Range, b.Range) }
