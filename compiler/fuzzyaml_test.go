package compiler_test

import (
	"testing"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/load"
)

// FuzzYAML compiles arbitrary bytes as the only file of a project, in YAML, as FuzzCompile does.
func FuzzYAML(f *testing.F) {
	for _, src := range seeds(f, load.SuffixYAML) {
		f.Add(src)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return
		}
		o := compiler.Options{Dir: dir, Env: []string{"PIPEC_VAR_x=1"}}
		first := outcome(t, compiler.Source("main.pipec.yaml", src, o), src)
		if again := outcome(t, compiler.Source("main.pipec.yaml", src, o), src); again != first {
			t.Fatalf("compiled twice:\n%s\n\n%s", first, again)
		}
	})
}
