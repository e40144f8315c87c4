package stores_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	s, err := stores.Set(nil).Open(t.Context(), program.Store{Kind: "local", Path: "a/store"}, stores.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, want := s.(*store.Local).Dir(), filepath.Join(dir, "a/store"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err = stores.Builtin().Open(t.Context(), program.Store{Kind: "ftp"}, stores.Options{})
	if err == nil || !strings.Contains(err.Error(), `no artifact store of kind "ftp": the kinds are local, s3`) {
		t.Errorf("got %v", err)
	}
}

// TestKindOfATest opens a store by a row that only this test has. It gets the attributes that the kind declares.
func TestKindOfATest(t *testing.T) {
	dir, size := t.TempDir(), ""
	set := append(stores.Builtin(), stores.Kind{Kind: "mem", Open: func(_ context.Context, s program.Store, _ stores.Options) (stores.Store, error) {
		size = s.Settings["size"]
		return store.OpenLocal(dir)
	}})
	s, err := set.Open(t.Context(), program.Store{Kind: "mem", Path: "mem://x", Settings: map[string]string{"size": "1Gi"}}, stores.Options{})
	if err != nil || size != "1Gi" {
		t.Fatalf("got %q, %v", size, err)
	}
	defer s.Close()
	if err := store.ProveOnce(t.Context(), s); err != nil {
		t.Error(err)
	}
}

// TestEveryKind: each kind that can be declared can be opened, and the other way around.
func TestEveryKind(t *testing.T) {
	var declared, opened []string
	for _, k := range kinds.Builtin().Stores {
		declared = append(declared, k.Kind)
	}
	for _, k := range stores.Builtin() {
		opened = append(opened, k.Kind)
	}
	slices.Sort(declared)
	slices.Sort(opened)
	if !slices.Equal(declared, opened) {
		t.Errorf("declared are %v, and %v can be opened", declared, opened)
	}
}
