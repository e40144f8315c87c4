// Package emit contains the table of emit targets, with one row for each system that can run pipelines. The packages in its
// folders write programs in the format of a target. emit/graph draws pictures of programs and is not a target.
package emit

import (
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// Options define what to write in addition to definitions.
type Options struct {
	Run   bool           // also write a run of each program
	Stack *program.Stack // the stack of the programs, for a target whose programs are not bound
	Kinds *kinds.Set     // the table of kinds that the programs were compiled with; nil: kinds.Builtin()
}

// Document is a part of the output of a target, such as a manifest.
type Document struct {
	Name string // the name of its file if each document is written to a file: "cronjob-train.yaml"
	Data []byte // the concatenated data of all documents, in order, is the output on stdout
}

// Target is a system that can run pipelines, with the function that writes programs for it.
type Target struct {
	Name string
	// Orchestrators are the kinds of orchestrators whose default target it is.
	Orchestrators []string
	// Bound reports that the programs must be bound to pods before they are written (see package schema/kube/pod).
	Bound bool
	// Write writes programs of one stack. Its result depends only on its arguments. nil: the target is planned and not
	// supported yet.
	Write func([]*program.Program, Options) ([]Document, error)
}

// Set is a table of targets. It is passed as a value, and there is no global table.
type Set []Target

// Builtin returns the targets of pipec itself.
func Builtin() Set {
	return Set{
		{Name: "kubernetes", Orchestrators: []string{"kubernetes"}, Bound: true, Write: writeKubernetes},
		{Name: "argo"},
		{Name: "kubeflow"},
		{Name: "tekton"},
	}
}

// UnknownError is returned for a target that can't be written: it isn't in the table, or not supported yet.
type UnknownError struct {
	Name    string
	Planned bool
	Known   []string // all names of the table; if Planned, only those that are supported
}

func (e *UnknownError) Error() string {
	if e.Planned {
		return fmt.Sprintf("the target %s is not supported yet; this version writes %s", e.Name, strings.Join(e.Known, ", "))
	}
	return fmt.Sprintf("there is no target %q: one of %s", e.Name, strings.Join(e.Known, ", "))
}

// Find returns the target of this name, or an *UnknownError.
func (set Set) Find(name string) (Target, error) {
	var known []string
	for _, t := range set {
		known = append(known, t.Name)
	}
	switch i := slices.Index(known, name); {
	case i < 0:
		return Target{}, &UnknownError{Name: name, Known: known}
	case set[i].Write == nil:
		return Target{}, &UnknownError{Name: name, Planned: true, Known: set.Supported()}
	default:
		return set[i], nil
	}
}

// Supported returns the names of the targets that can be written.
func (set Set) Supported() []string {
	var out []string
	for _, t := range set {
		if t.Write != nil {
			out = append(out, t.Name)
		}
	}
	return out
}

// Default returns the target that is the default for a kind of orchestrator; false if nothing can be written for it.
func (set Set) Default(orchestrator string) (Target, bool) {
	i := slices.IndexFunc(set, func(t Target) bool { return t.Write != nil && slices.Contains(t.Orchestrators, orchestrator) })
	if i < 0 {
		return Target{}, false
	}
	return set[i], true
}

func writeKubernetes(programs []*program.Program, o Options) ([]Document, error) {
	objects, err := kubernetes.Objects(programs, kubernetes.Options{Run: o.Run, Kinds: o.Kinds})
	if err != nil {
		return nil, err
	}
	out := make([]Document, len(objects))
	for i := range objects {
		out[i].Name = kubernetes.FileName(&objects[i])
		if out[i].Data, err = kubernetes.YAML(objects[i : i+1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
