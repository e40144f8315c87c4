package connect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
)

// Reason is the kind of a problem with a cluster.
type Reason string

// The reasons.
const (
	NoConfig     Reason = "no_config"    // no kubeconfig, or none that can be used
	NoContext    Reason = "no_context"   // the kubeconfig has no such context
	NoPlugin     Reason = "credentials"  // the kubeconfig's plugin, or AWS, returned no credentials
	Unreachable  Reason = "unreachable"  // the API server does not respond
	Unauthorized Reason = "unauthorized" // the API server does not accept the credentials
	Forbidden    Reason = "forbidden"    // the user lacks a permission
	NoNamespace  Reason = "no_namespace" // the namespace is missing
	Terminating  Reason = "terminating"  // the namespace is being deleted
	Quota        Reason = "quota"        // a ResourceQuota is exhausted
	Denied       Reason = "denied"       // an admission webhook or a policy rejected the object
	Conflict     Reason = "conflict"     // another field manager owns a field, or the object has changed in the meantime
	Invalid      Reason = "invalid"      // the API server rejected the object as invalid
	Busy         Reason = "busy"         // the API server asks to retry later
	Gone         Reason = "gone"         // the object does not exist
)

// Error explains a problem with a cluster. It leads to exit status 3.
type Error struct {
	Reason Reason
	Text   string // what failed, on which object, and why
	Hint   string // what to do; "" if nothing useful is known
	Err    error  // the cause; nil if pipec itself found the problem
}

// Error returns the text, followed by the hint on its own line.
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

// listed is the number of names that a message lists.
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

// nearest returns the name that the user probably meant, or "".
func nearest(name string, names []string) string {
	best, at := "", max(2, len(name)/3)+1
	for _, n := range slices.Sorted(slices.Values(names)) {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(n), nil); name != "" && d < at {
			best, at = n, d
		}
	}
	return best
}
