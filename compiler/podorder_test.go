package compiler_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler"
)

// podParts are blocks of a step whose order has no meaning. The order of `init` blocks has one, so the list has only one of
// them.
var podParts = []string{
	"toleration {\n key = \"a\"\n}", "toleration {\n key = \"b\"\n value = \"x\"\n}",
	"topology_spread {\n key = \"zone\"\n match_labels = { a = \"b\" }\n}", "topology_spread {\n key = \"host\"\n match_labels = { a = \"b\" }\n}",
	"volume \"v\" {\n path = \"/z\"\n claim = \"c\"\n}", "volume \"w\" {\n path = \"/a\"\n scratch = \"1Gi\"\n}",
	"sidecar \"s\" {\n image = \"x\"\n}", "sidecar \"a\" {\n image = \"y\"\n}", "init \"i\" {\n image = \"z\"\n mounts = { w = \"/w\", v = \"/v\" }\n}",
	"dns {\n nameservers = [\"10.0.0.1\"]\n}", "priority_class = \"batch\"", "resources {\n gpu = 1\n}",
}

// TestOrderOfPodBlocks checks that the order of blocks changes no byte of the program.
func TestOrderOfPodBlocks(t *testing.T) {
	build := func(t *rapid.T, parts []string) []byte {
		source := "pipeline \"p\" {\nstep \"a\" {\ncommand = [\"true\"]\n" + strings.Join(parts, "\n") + "\n}\n}\n"
		r := compiler.Source("main.pipec.hcl", []byte(source), compiler.Options{Dir: "."})
		if r.Diags.Len() > 0 || len(r.Programs) != 1 {
			t.Fatalf("%v\n%s", r.Diags.Sorted(), source)
		}
		data, err := r.Programs[0].Encode()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	rapid.Check(t, func(t *rapid.T) {
		want := build(t, podParts)
		parts := rapid.Permutation(podParts).Draw(t, "parts")
		if got := build(t, parts); !bytes.Equal(got, want) {
			t.Fatalf("another order, another program:\n%s\n%s", got, want)
		}
	})
}
