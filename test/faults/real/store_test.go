package real

import (
	"testing"

	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/test/faults/real/answers"
	"pipec.dev/pipec/test/faults/world"
)

// TestModelOfStore compares the answers of the simulated store with those of the real one on an S3 server.
func TestModelOfStore(t *testing.T) {
	compare(t, "store", answers.Store(t.Context(), world.NewObjects(nil)), nil)
}

// TestRecordedStore compares the golden files with the answers of the real S3 server, and of the store that uses it.
func TestRecordedStore(t *testing.T) {
	b := storetest.NewBucket(t)
	compare(t, "s3", answers.S3(t.Context(), b.Client, b.Name), nil)
	s, err := s3.Open(t.Context(), b.Store("x"), s3.Options{Environ: b.Environ})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	compare(t, "store", answers.Store(t.Context(), s), nil)
}
