package lint

import (
	"cmp"
	"slices"
	"sync"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/language"
)

// rules are the rules that look at a project, sorted by code.
var rules = []*Rule{
	cacheRandom,
	cronFrequent,
	cronGap,
	cronOverlap,
	deprecatedField,
	duplicateValidation,
	endlessApproval,
	floatingImage,
	leavesRestricted,
	neverRuns,
	noResources,
	noTimeout,
	quotedReference,
	redundantDependsOn,
	sameName,
	secretInCommand,
	secretLiteral,
	shellInjection,
	shortenedName,
	unboundedFanOut,
	unlockedImage,
	unpinnedCache,
	unreachableTimeout,
	unusedOutput,
	uselessRetry,
}

// aboutIgnores are the rules about comments that ignore others. They run last, and can't be ignored themselves.
var aboutIgnores = []*Rule{unexplainedIgnore, unknownIgnore, unusedIgnore}

// Lookup returns a rule by its code, or nil.
func Lookup(code string) *Rule {
	for _, r := range All() {
		if r.Code == code {
			return r
		}
	}
	return nil
}

// All returns all rules, including those about comments that ignore others, sorted by code.
func All() []*Rule { return all() }

var all = sync.OnceValue(func() []*Rule {
	out := slices.Concat(working(rules), aboutIgnores)
	slices.SortFunc(out, func(a, b *Rule) int { return cmp.Compare(a.Code, b.Code) })
	return out
})

// Describe returns what a code with a level is about: a rule's, or a warning of the compiler.
func Describe(code string) (diag.Code, bool) {
	if r := Lookup(code); r != nil {
		c := diag.Code{Name: code, Severity: r.Level.severity(), Doc: r.Summary}
		if r.Level == Off {
			c.Severity = diag.Note
		}
		return c, true
	}
	c, ok := diag.Lookup(code)
	return c, ok && c.Severity != diag.Error
}

// Codes returns all codes that have a level, sorted.
func Codes() []string {
	var out []string
	for _, r := range All() {
		out = append(out, r.Code)
	}
	for _, c := range diag.Codes {
		if c.Severity != diag.Error {
			out = append(out, c.Name)
		}
	}
	slices.Sort(out)
	return out
}

// working returns the rules whose part of the language is supported.
func working(list []*Rule) []*Rule {
	step := language.Root().Block("pipeline").Block("step")
	return slices.DeleteFunc(slices.Clone(list), func(r *Rule) bool {
		a := step.Attribute(r.Needs)
		return r.Needs != "" && (a == nil || !language.Supported(a.Since))
	})
}
