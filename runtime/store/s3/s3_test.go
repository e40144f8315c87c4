package s3_test

import (
	"strconv"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/program"
)

func open(t testing.TB, p program.Store, environ func(string) (string, bool)) *s3.Store {
	t.Helper()
	s, err := s3.Open(t.Context(), p, s3.Options{Environ: environ, MaxBackoff: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestContract(t *testing.T) {
	b := storetest.NewBucket(t)
	n := 0
	for _, prefix := range []string{"", "some/where/"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			storetest.Contract(t, func(t testing.TB) store.Store {
				n++
				return open(t, b.Store(prefix+strconv.Itoa(n)), b.Environ)
			})
		})
	}
	t.Run("patient", func(t *testing.T) {
		storetest.Contract(t, func(t testing.TB) store.Store {
			n++
			return store.Retrying(open(t, b.Store("patient/"+strconv.Itoa(n)), b.Environ), time.Minute, nil)
		})
	})
	if left := b.Uploads(t); len(left) > 0 {
		t.Errorf("uploads are left: %v", left)
	}
}
