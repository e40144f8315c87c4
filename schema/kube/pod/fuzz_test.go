package pod_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
)

// FuzzBind binds any program to a cluster. It is refused or bound, the same each time, and what is bound is JSON that reads
// back as itself.
func FuzzBind(f *testing.F) {
	for _, p := range programs(f) {
		f.Add(p, true)
		f.Add(p, false)
	}
	f.Fuzz(func(t *testing.T, data []byte, locked bool) {
		p, err := program.Decode(data)
		if err != nil {
			return
		}
		var lock *program.Lock
		if locked {
			lock = imageOf("1000:2000")
			for i := range p.Codes {
				lock.Codes = map[string]program.LockedCode{program.LockedCodeKey("k8s", p.Codes[i].Name): {Digest: "sha256:abc"}}
			}
		}
		first, _, err := pod.Bind(p, k8s(nil), lock, pod.Options{Version: "v1.37.2"})
		again, _, errAgain := pod.Bind(p, k8s(nil), lock, pod.Options{Version: "v1.37.2"})
		if (err == nil) != (errAgain == nil) {
			t.Fatalf("%v, and then %v", err, errAgain)
		}
		if err != nil {
			return
		}
		a, err := first.Encode()
		if err != nil {
			return // a raw message that is no JSON has been let in, by hand
		}
		b, err := again.Encode()
		if err != nil || !bytes.Equal(a, b) {
			t.Fatalf("bound twice: %v\n%s\n%s", err, a, b)
		}
		back, err := program.Decode(a)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := back.Encode(); err != nil || !bytes.Equal(a, c) {
			t.Fatalf("read back: %v\n%s\n%s", err, a, c)
		}
		_, _ = restricted.Leaving(first)
	})
}

// programs are those of the compiler's own golden files.
func programs(f *testing.F) [][]byte {
	files, err := filepath.Glob("../../../compiler/testdata/programs/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no programs: %v", err)
	}
	var out [][]byte
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range a.Files {
			if part.Name != "program" {
				continue
			}
			for dec := json.NewDecoder(bytes.NewReader(part.Data)); dec.More(); {
				var p json.RawMessage
				if err := dec.Decode(&p); err != nil {
					f.Fatal(err)
				}
				out = append(out, p)
			}
		}
	}
	return out
}
