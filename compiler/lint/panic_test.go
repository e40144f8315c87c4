package lint

import (
	"strings"
	"testing"

	"pipec.dev/pipec/compiler/diag"
)

// TestPanic checks that a rule that panics is reported, and that the report doesn't quote the panic.
func TestPanic(t *testing.T) {
	var r Report
	p := &Pass{Project: &Project{}, report: &r, rule: &Rule{Code: "faulty", Check: func(*Pass) { panic("hunter2") }}}
	p.check()
	if len(r.Diags) != 1 || r.Diags[0].Code != "internal" || r.Diags[0].Severity != diag.Error || r.Diags[0].Summary != "internal error of pipec while checking the rule faulty" {
		t.Fatalf("%+v", r.Diags)
	}
	if d := r.Diags[0].Detail; d == "" || strings.Contains(d, "hunter2") {
		t.Error(d)
	}
}
