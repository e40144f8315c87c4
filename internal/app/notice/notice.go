// Package notice has what the use cases of internal/app report while they work. A notice is data: an observer may show
// its text, or distinguish the types and show them in its own way. Events of runs are not notices; they are record.Event.
package notice

import (
	"fmt"
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/image"
)

// Notice is something that a use case reports. String returns it as a sentence.
type Notice interface{ String() string }

// Observer is notified of what a use case reports. The use cases call it from one goroutine at a time.
type Observer func(Notice)

// Diagnostics are the errors and warnings in the project's files.
type Diagnostics struct {
	List    []diag.Diagnostic // sorted
	Sources map[string][]byte // the files that they are about, by name
}

// String counts them.
func (d Diagnostics) String() string {
	return fmt.Sprintf("The project's files have %d diagnostics.", len(d.List))
}

// Info is progress for which there is no type of its own.
type Info string

// String returns the sentence.
func (i Info) String() string { return string(i) }

// Infof returns a formatted Info.
func Infof(format string, args ...any) Info { return Info(fmt.Sprintf(format, args...)) }

// Warning is something that is wrong and stops nothing.
type Warning string

// String returns the sentence.
func (w Warning) String() string { return string(w) }

// Changed is a change of a cluster's objects that was made.
type Changed struct{ cluster.Change }

var done = map[cluster.Action]string{
	cluster.Create: "created", cluster.Update: "changed", cluster.Replace: "replaced", cluster.Delete: "deleted", cluster.Keep: "kept",
}

// String returns the object and what was done with it.
func (c Changed) String() string {
	text := fmt.Sprintf("%s %s %s", c.Kind, c.Name, done[c.Action])
	if c.Why != "" {
		text += ": run " + c.Why + " needs it"
	}
	return text
}

// Pushing is how far the push of one image or code bundle is.
type Pushing struct{ image.Progress }

// String names what is pushed, or what is printed about it.
func (p Pushing) String() string {
	if p.Line != "" {
		return p.Kind + " " + p.Name + ": " + p.Line
	}
	return "pushing " + p.Kind + " " + p.Name
}

// PushEnded says that no more Pushing follows.
type PushEnded struct{}

// String returns a sentence.
func (PushEnded) String() string { return "The push has ended." }

// Pushed is an image or a code bundle that was pushed, or something to know about it.
type Pushed struct{ image.Item }

// String names what was pushed, and says with which result.
func (p Pushed) String() string { return p.Kind + " " + p.Name + ": " + p.Result() }

// Result returns what was done, with the digest and the size if they are known.
func (p Pushed) Result() string {
	if p.Status == image.Unchanged && p.Note != "" {
		return oneLine(p.Note)
	}
	return Describe(p.Item)
}

// Describe returns what was done with an item of a push.
func Describe(item image.Item) string {
	out := item.Status
	if len(item.Digest) > 19 {
		out += " " + item.Digest[:19]
	}
	if item.Bytes > 0 {
		out += ", " + Bytes(item.Bytes)
	}
	if item.Note != "" {
		out += " (" + oneLine(item.Note) + ")"
	}
	return out
}

// Bytes returns a number of bytes with its unit.
func Bytes(n int64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n == 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

func oneLine(s string) string { return diag.Printable(strings.Join(strings.Fields(s), " ")) }
