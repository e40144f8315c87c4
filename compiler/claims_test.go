package compiler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler"
)

// claimsSource is a pipeline of n steps: step i waits for those in needs[i], and mounts the claims in claims[i].
func claimsSource(needs, claims [][]int) string {
	var b strings.Builder
	b.WriteString("pipeline \"p\" {\n")
	for i := range needs {
		fmt.Fprintf(&b, "  step \"s%d\" {\n    command = [\"true\"]\n", i)
		var names []string
		for _, n := range needs[i] {
			names = append(names, fmt.Sprintf("step.s%d", n))
		}
		if names != nil {
			fmt.Fprintf(&b, "    depends_on = [%s]\n", strings.Join(names, ", "))
		}
		for _, c := range claims[i] {
			fmt.Fprintf(&b, "    volume \"v%d\" {\n      path  = \"/v%d\"\n      claim = \"c%d\"\n    }\n", c, c, c)
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

func toldAtOnce(source string) map[string]bool {
	out := map[string]bool{}
	for _, d := range compiler.Source("main.pipec.hcl", []byte(source), compiler.Options{Dir: "."}).Diags.Sorted() {
		if d.Code == "claim-at-once" {
			_, rest, _ := strings.Cut(d.Summary, `the claim "`)
			name, _, _ := strings.Cut(rest, `"`)
			out[name] = true
		}
	}
	return out
}

// TestClaimsAtOnce holds what is told of random graphs to the plain way of finding it: every pair of steps of one claim,
// and whether one is reached from the other.
func TestClaimsAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 14).Draw(t, "steps")
		needs, claims := make([][]int, n), make([][]int, n)
		reach := make([]map[int]bool, n) // the steps that come before
		for i := range n {
			reach[i] = map[int]bool{}
			if i > 0 {
				needs[i] = rapid.SliceOfNDistinct(rapid.IntRange(0, i-1), 0, 3, rapid.ID).Draw(t, "needs")
			}
			for _, j := range needs[i] {
				reach[i][j] = true
				for k := range reach[j] {
					reach[i][k] = true
				}
			}
			claims[i] = rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 0, 2, rapid.ID).Draw(t, "claims")
		}
		want := map[string]bool{}
		for i := range n {
			for j := range i {
				for _, c := range claims[i] {
					if slices.Contains(claims[j], c) && !reach[i][j] {
						want[fmt.Sprintf("c%d", c)] = true
					}
				}
			}
		}
		source := claimsSource(needs, claims)
		if got := toldAtOnce(source); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("told of %v, want %v\n%s", got, want, source)
		}
	})
}

// TestClaimsOfManySteps: ten thousand steps in a row, each pair of neighbours with a claim of its own.
func TestClaimsOfManySteps(t *testing.T) {
	const n = 10000
	needs, claims := make([][]int, n), make([][]int, n)
	for i := range n {
		if i > 0 {
			needs[i] = []int{i - 1}
		}
		claims[i] = []int{i / 2}
	}
	start := time.Now()
	if got := toldAtOnce(claimsSource(needs, claims)); len(got) > 0 {
		t.Errorf("told of %d claims", len(got))
	}
	if took := time.Since(start); took > time.Minute { // it takes about two seconds
		t.Errorf("it took %s", took)
	}
	needs[n/2+1] = nil // the two neighbours of one claim can now run at once
	if got := toldAtOnce(claimsSource(needs, claims)); len(got) != 1 || !got[fmt.Sprintf("c%d", n/4)] {
		t.Errorf("told of %v", got)
	}
}
