package connect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
)

// Reason is what kind of trouble it is.
type Reason string

// The reasons.
const (
	NoConfig     Reason = "no_config"    // no kubeconfig, or none that can be used
	NoContext    Reason = "no_context"   // the kubeconfig has no such context
	NoPlugin     Reason = "credentials"  // the kubeconfig's plugin, or AWS, gives no credentials
	Unreachable  Reason = "unreachable"  // the API server does not answer
	Unauthorized Reason = "unauthorized" // it does not accept who asks
	Forbidden    Reason = "forbidden"    // who asks may not do that
	NoNamespace  Reason = "no_namespace" // the namespace is missing
	Terminating  Reason = "terminating"  // the namespace is being deleted
	Quota        Reason = "quota"        // a ResourceQuota is used up
	Denied       Reason = "denied"       // an admission webhook or policy refused the object
	Conflict     Reason = "conflict"     // another field manager owns a field, or the object has changed meanwhile
	Invalid      Reason = "invalid"      // the API server finds the object faulty
	Busy         Reason = "busy"         // the API server asks to come back later
	Gone         Reason = "gone"         // what was asked for is not there
)

// Error is a trouble with a cluster in a person's words. Each is for exit status 3.
type Error struct {
	Reason Reason
	Text   string // what failed, on what, and why
	Hint   string // what to do; "" where nothing useful is known
	Err    error  // what it was made of; nil where pipec itself found it
}

// Error is the text, and the hint as a line of its own.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Text
	}
	return e.Text + "\n" + e.Hint
}

func (e *Error) Unwrap() error { return e.Err }

func quote(s string) string { return strconv.Quote(s) }

// oneLine joins the lines of a library's message.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// listed is how many names a message lists.
const listed = 20

func list(names []string) string {
	slices.Sort(names)
	rest := ""
	if len(names) > listed {
		rest = " and " + strconv.Itoa(len(names)-listed) + " more"
		names = names[:listed]
	}
	return strings.Join(names, ", ") + rest
}

// nearest is the name that was probably meant, or "".
func nearest(name string, names []string) string {
	best, at := "", max(2, len(name)/3)+1
	for _, n := range slices.Sorted(slices.Values(names)) {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(n), nil); name != "" && d < at {
			best, at = n, d
		}
	}
	return best
}
