package step

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pipec.dev/pipec/schema/glob"
	"pipec.dev/pipec/schema/types"
)

// stopping is a context that ends after a few calls of Err.
type stopping struct {
	context.Context
	left int
}

func (s *stopping) Err() error {
	if s.left--; s.left < 0 {
		return context.Canceled
	}
	return nil
}

// A cancellation stops the search for a glob's files between two entries, even in a large directory.
func TestGlobStops(t *testing.T) {
	dir := t.TempDir()
	for i := range 100 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := glob.Parse("*")
	if err != nil {
		t.Fatal(err)
	}
	m := matching{p: p, elem: types.Artifact{Kind: "file"}}
	if why := m.find(&stopping{t.Context(), 10}, dir); why != "" || len(m.files) == 0 || len(m.files) > 10 {
		t.Errorf("%d files were taken (%s)", len(m.files), why)
	}
}
