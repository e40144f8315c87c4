package pod_test

import (
	"bytes"
	"testing"

	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/program/programtest"
)

// FuzzBind binds any program to a cluster. It is refused or bound, the same each time, and what is bound is JSON that reads
// back as itself.
func FuzzBind(f *testing.F) {
	for _, p := range programtest.Golden(f, "../../../testdata/programs") {
		f.Add([]byte(p), true)
		f.Add([]byte(p), false)
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
			return // a raw message that is not JSON has been let in, by hand
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
