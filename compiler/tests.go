package compiler

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/tests"
)

// Tests reads the tests of a project that compiles. Faults in the files of the tests are in the list.
func (r *Result) Tests() (set *tests.Set, faults *diag.List, err error) {
	faults = &diag.List{}
	if r.Diags.HasErrors() || r.project == nil {
		return &tests.Set{}, faults, nil
	}
	defer func() {
		if p := recover(); p != nil {
			faults.Add(diag.Internal(hcl.Range{}, "reading the tests", p, r.sensitive()))
		}
	}()
	set, err = tests.Read(r.project, slices.Concat(r.Programs, r.Called), faults)
	return set, faults, err
}
