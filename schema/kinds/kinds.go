// Package kinds is the table of the parts of a stack: a row for each kind of orchestrator, of artifact store and of recipe.
// The language's blocks `orchestrator`, `artifact_store` and `recipe` are made from the rows, the compiler checks stacks and
// pipelines by them, and what writes or runs programs looks up there what a kind needs.
//
// A row is data and pure functions. Drivers, openers of stores and emit targets are rows of tables in their own folders,
// joined by the kind's name. Nothing is registered: a table is a value that is passed on, and Builtin returns pipec's own.
package kinds

import (
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/program"
)

// Set is a table of kinds. It is not changed after it was made, and is safe for concurrent use.
type Set struct {
	Orchestrators []*Orchestrator // in the order in which they are documented
	Stores        []*Store
	Recipes       []*Recipe
}

// Builtin returns the kinds of pipec itself. Making it costs a few microseconds.
func Builtin() *Set {
	return &Set{
		Orchestrators: []*Orchestrator{local(), kubernetes()},
		Stores:        []*Store{directory(), s3()},
		Recipes:       []*Recipe{aws()},
	}
}

// Orchestrator is a kind of orchestrator: what runs the steps.
type Orchestrator struct {
	Kind string
	// Doc is what its steps run as, for the language's reference: "processes on this machine".
	Doc string
	// Attributes are those of its block. Kinds may share one: those of the same name must be equal.
	Attributes []Attribute
	// Bare reports that its block needs no attributes.
	Bare bool
	// Pods reports that its steps run as pods: images must be pushed, and a program is bound to pods before it is run.
	Pods bool
	// SharedStore reports that its steps run where only a shared artifact store can be reached.
	SharedStore bool
	// DefaultStore is the artifact store of a stack that declares none. nil: a stack must declare one.
	DefaultStore *program.Store
	// Lacks are the parts of the language that it cannot express. A pipeline that uses one doesn't compile for it.
	Lacks []Lack
	// Read checks the values of the attributes and stores them. nil: all are stored in Settings (see Keep).
	Read func(Values, *program.Orchestrator) []Fault
	// Describe returns the orchestrator in a few words for `pipec stack list`. nil: its kind.
	Describe func(*program.Orchestrator) string
}

// Store is a kind of artifact store.
type Store struct {
	Kind string
	// Scheme is what its paths start with, without "://". "": they are directories.
	Scheme string
	// PathDoc describes a path, for the language's reference: "`s3://bucket/prefix`".
	PathDoc string
	// Example is a path to suggest: "s3://BUCKET/PREFIX".
	Example string
	// Private describes it if only this machine can reach it: "a directory of this machine". "": pods can reach it.
	Private string
	// RoleAnnotation is the annotation by which a service account gets program.Store.Role. "": it can't have one.
	RoleAnnotation string
	// Attributes are those of its block, beside `path`. Kinds may share one: those of the same name must be equal.
	Attributes []Attribute
	// Path checks a path and returns the canonical one. nil: any path that starts with the scheme. See CheckPath.
	Path func(path string) (canonical string, fault *Fault)
	// Read checks the values of the attributes and stores them. nil: all are stored in Settings (see Keep).
	Read func(Values, *program.Store) []Fault
}

// Attribute is an attribute of an `orchestrator`, `artifact_store` or `recipe` block. Its value is known at compile time.
type Attribute struct {
	Name    string
	Type    string   // string, number (whole, from 0 on), bool, list(string) or map(string)
	OneOf   []string // the strings that it may be; nil: any
	Format  string   // what a string holds, as in the language's table: duration, path
	Default string   // as it would be written
	Doc     string
	Since   string // the version of the language that it works from

	Required bool // the block must set it
}

// Lack is a part of the language that an orchestrator cannot express.
type Lack struct {
	// Feature is the path of a block or an attribute from `pipeline` down, as in the language's table: "schedule",
	// "step.for_each", "finally". An attribute that is written with its default value is not counted.
	Feature string
	// Why is the reason, or what to use instead, as a sentence. It may be empty.
	Why string
}

// Orchestrator returns the row of a kind, or nil.
func (s *Set) Orchestrator(kind string) *Orchestrator {
	if i := slices.IndexFunc(s.Orchestrators, func(o *Orchestrator) bool { return o.Kind == kind }); i >= 0 {
		return s.Orchestrators[i]
	}
	return nil
}

// Store returns the row of a kind, or nil.
func (s *Set) Store(kind string) *Store {
	if i := slices.IndexFunc(s.Stores, func(o *Store) bool { return o.Kind == kind }); i >= 0 {
		return s.Stores[i]
	}
	return nil
}

// Recipe returns the row of a kind, or nil.
func (s *Set) Recipe(kind string) *Recipe {
	if i := slices.IndexFunc(s.Recipes, func(o *Recipe) bool { return o.Kind == kind }); i >= 0 {
		return s.Recipes[i]
	}
	return nil
}

// Pods reports whether the steps of a stack run as pods.
func (s *Set) Pods(stack *program.Stack) bool {
	row := s.Orchestrator(stack.Orchestrator.Kind)
	return row != nil && row.Pods
}

// Attribute returns the attribute of this name, for a kind that shares it. It panics if there is none.
func (o *Orchestrator) Attribute(name string) Attribute {
	i := slices.IndexFunc(o.Attributes, func(a Attribute) bool { return a.Name == name })
	return o.Attributes[i]
}

// Steps returns what its steps are, for messages: "pods", or "steps of KIND".
func (o *Orchestrator) Steps() string {
	if o.Pods {
		return "pods"
	}
	return "steps of " + o.Kind
}

// CheckPath checks the path of a store and returns the canonical one.
func (s *Store) CheckPath(path string) (canonical string, fault *Fault) {
	if s.Path != nil {
		return s.Path(path)
	}
	rest, ok := strings.CutPrefix(path, s.Scheme+"://")
	if bucket, _, _ := strings.Cut(rest, "/"); !ok || bucket == "" {
		return path, &Fault{Text: fmt.Sprintf("%q is not a path of an artifact store of kind %s", path, s.Kind), Suggestion: "write " + s.Example}
	}
	return path, nil
}

// Describe returns the orchestrator of a stack in a few words.
func (s *Set) Describe(stack *program.Stack) string {
	o := &stack.Orchestrator
	if row := s.Orchestrator(o.Kind); row != nil && row.Describe != nil {
		return row.Describe(o)
	}
	return o.Kind
}

// Implied returns the stack of a project that declares none: the first orchestrator that has a default store.
func (s *Set) Implied() *program.Stack {
	for _, o := range s.Orchestrators {
		if o.DefaultStore != nil {
			return &program.Stack{Name: o.Kind, Orchestrator: program.Orchestrator{Kind: o.Kind}, ArtifactStore: *o.DefaultStore}
		}
	}
	return nil
}

// OrchestratorForms returns how an orchestrator block is written, for suggestions: `orchestrator "local" {} or …`.
func (s *Set) OrchestratorForms() string {
	var forms []string
	for _, o := range s.Orchestrators {
		body := "{ … }"
		if o.Bare {
			body = "{}"
		}
		forms = append(forms, fmt.Sprintf("orchestrator %q %s", o.Kind, body))
	}
	return strings.Join(forms, " or ")
}

// SharedStoreForm returns how the block of a shared store is written, for suggestions.
func (s *Set) SharedStoreForm() string {
	for _, o := range s.Stores {
		if o.Private == "" {
			return fmt.Sprintf("artifact_store %q { path = %q }", o.Kind, o.Example)
		}
	}
	return `artifact_store "KIND" { … }`
}

// Check reports what is wrong with the table itself: kinds declared twice, attributes of one name that differ. A test
// holds Builtin to it.
func (s *Set) Check() error {
	orchestrators := map[string][]Attribute{}
	for _, o := range s.Orchestrators {
		if _, twice := orchestrators[o.Kind]; twice || o.Kind == "" || o.Doc == "" {
			return fmt.Errorf("orchestrator %q is declared twice, or has no kind or no doc", o.Kind)
		}
		orchestrators[o.Kind] = o.Attributes
	}
	stores := map[string][]Attribute{}
	for _, o := range s.Stores {
		if _, twice := stores[o.Kind]; twice || o.Kind == "" || o.PathDoc == "" || o.Private == "" && o.Example == "" {
			return fmt.Errorf("store %q is declared twice, or has no kind, no doc of its path or no example", o.Kind)
		}
		stores[o.Kind] = append([]Attribute{{Name: "path"}}, o.Attributes...)
	}
	recipes := map[string][]Attribute{}
	for _, o := range s.Recipes {
		if _, twice := recipes[o.Kind]; twice || o.Kind == "" || o.Doc == "" || o.Read == nil {
			return fmt.Errorf("recipe %q is declared twice, or has no kind, no doc or no Read", o.Kind)
		}
		recipes[o.Kind] = o.Attributes
	}
	for _, kinds := range []map[string][]Attribute{orchestrators, stores, recipes} {
		known := map[string]Attribute{}
		for kind, attributes := range kinds {
			for _, a := range attributes {
				if b, ok := known[a.Name]; ok && !a.equal(b) {
					return fmt.Errorf("attribute %q of %q differs from that of another kind", a.Name, kind)
				}
				known[a.Name] = a
			}
		}
	}
	return nil
}

func (a Attribute) equal(b Attribute) bool {
	same := slices.Equal(a.OneOf, b.OneOf)
	same = same && a.Required == b.Required
	return same && a.Name == b.Name && a.Type == b.Type && a.Format == b.Format && a.Default == b.Default && a.Doc == b.Doc && a.Since == b.Since
}
