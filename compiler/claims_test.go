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

// TestClaimsAtOnce compares the warnings for random graphs with a plain search: every pair of steps of one claim, and
// whether one step can be reached from the other.
func TestClaimsAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 14).Draw(t, "steps")
		needs, claims := make([][]int, n), make([][]int, n)
		reach := make([]map[int]bool, n) // before[i]: the steps that come before step i
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

// TestClaimsOfCalls: a call mounts what the steps of its pipeline mount, for as long as it runs. The warnings for random
// projects are compared with a search over every pair of steps, where each call has steps of its own.
func TestClaimsOfCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type step struct {
			needs  []int
			claim  int // -1: none
			callee int // -1: the step is not a call
			each   string
		}
		n := rapid.IntRange(1, 4).Draw(t, "pipelines")
		pipelines := make([][]step, n)
		mounts := make([]map[int]bool, n) // for each pipeline, what it and all pipelines that it calls mount
		want := map[string]bool{}
		var b strings.Builder
		for p := range n {
			mounts[p] = map[int]bool{}
			reach := []map[int]bool{}
			fmt.Fprintf(&b, "pipeline \"p%d\" {\n", p)
			for i := range rapid.IntRange(1, 5).Draw(t, "steps") {
				s := step{claim: -1, callee: -1, each: rapid.SampledFrom([]string{"", "", "", "two", "in turn", "one"}).Draw(t, "each")}
				if i > 0 {
					s.needs = rapid.SliceOfNDistinct(rapid.IntRange(0, i-1), 0, 2, rapid.ID).Draw(t, "needs")
				}
				if p > 0 && rapid.Bool().Draw(t, "call") {
					s.callee = rapid.IntRange(0, p-1).Draw(t, "callee")
				} else {
					s.claim = rapid.IntRange(-1, 2).Draw(t, "claim")
				}
				pipelines[p] = append(pipelines[p], s)
				reach = append(reach, map[int]bool{})
				for _, j := range s.needs {
					reach[i][j] = true
					for k := range reach[j] {
						reach[i][k] = true
					}
				}
				own := map[int]bool{}
				fmt.Fprintf(&b, "  step \"s%d\" {\n", i)
				if s.callee >= 0 {
					own = mounts[s.callee]
					fmt.Fprintf(&b, "    pipeline = pipeline.p%d\n", s.callee)
				} else {
					b.WriteString("    command = [\"true\"]\n")
				}
				if s.claim >= 0 {
					own[s.claim] = true
					fmt.Fprintf(&b, "    volume \"v\" {\n      path  = \"/v\"\n      claim = \"c%d\"\n    }\n", s.claim)
				}
				b.WriteString(map[string]string{
					"": "", "two": "    for_each = [1, 2]\n", "one": "    for_each = [1]\n", "in turn": "    for_each = [1, 2]\n    max_parallel = 1\n",
				}[s.each])
				for k, j := range s.needs {
					if k == 0 {
						b.WriteString("    depends_on = [")
					}
					fmt.Fprintf(&b, "step.s%d, ", j)
				}
				if len(s.needs) > 0 {
					b.WriteString("]\n")
				}
				b.WriteString("  }\n")
				for c := range own {
					mounts[p][c] = true
					if s.each == "two" {
						want[fmt.Sprintf("c%d", c)] = true
					}
					for j, other := range pipelines[p][:i] {
						if !reach[i][j] && (other.claim == c || other.callee >= 0 && mounts[other.callee][c]) {
							want[fmt.Sprintf("c%d", c)] = true
						}
					}
				}
			}
			b.WriteString("}\n")
		}
		got := toldAtOnce(b.String())
		for c := range got {
			if !want[c] {
				t.Fatalf("told of %s, which nobody mounts at once\n%s", c, b.String())
			}
		}
		if len(got) == 0 && len(want) > 0 { // several claims of two calls are reported once, because they have one position
			t.Fatalf("not told of %v\n%s", want, b.String())
		}
	})
}

// TestClaimsOfManyCalls: thousands of calls in a row of a pipeline with many claims, and of one that is called in a chain.
func TestClaimsOfManyCalls(t *testing.T) {
	var b strings.Builder
	b.WriteString("pipeline \"inner\" {\n")
	for i := range 500 {
		fmt.Fprintf(&b, "  step \"s%d\" {\n    command = [\"true\"]\n    volume \"v\" {\n      path = \"/v\"\n      claim = \"c%d\"\n    }\n  }\n", i, i)
	}
	b.WriteString("}\npipeline \"outer\" {\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "  step \"s%d\" {\n    pipeline = pipeline.inner\n", i)
		if i > 0 {
			fmt.Fprintf(&b, "    depends_on = [step.s%d]\n", i-1)
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	start := time.Now()
	if got := toldAtOnce(b.String()); len(got) > 0 {
		t.Errorf("told of %d claims", len(got))
	}
	if took := time.Since(start); took > time.Minute { // it takes a few seconds
		t.Errorf("it took %s", took)
	}
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
