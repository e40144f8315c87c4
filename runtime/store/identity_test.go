package store_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
)

// limited is a store that denies writes outside of some directories.
type limited struct {
	store.Store
	dirs  []string
	fault error
}

func (l *limited) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	for _, dir := range l.dirs {
		if strings.HasPrefix(key, dir) {
			return l.Store.Put(ctx, key, r, mode)
		}
	}
	return l.fault
}

func TestCheckSteps(t *testing.T) {
	denied := &store.Fault{Class: store.Denied, Text: "403"}
	for name, c := range map[string]struct {
		dirs  []string
		fault error
		ok    bool
		want  string
	}{
		"limited": {[]string{"blobs/", "attempts/"}, denied, true, "can't write to runs/, cache/, index/ and programs/"},
		"all":     {[]string{""}, denied, false, "can write to runs/, cache/, index/, programs/:"},
		"cache":   {[]string{"blobs/", "cache/"}, denied, false, "can write to cache/:"},
		"nothing": {nil, denied, false, "can't write to blobs/: 403"},
		"away":    {[]string{"blobs/"}, errors.New("no route"), false, "can't check what the steps may write: no route"},
	} {
		s := &limited{&storetest.Memory{}, c.dirs, c.fault}
		for range 2 { // an object of an earlier check counts too
			if f := store.CheckSteps(t.Context(), s, "ml"); f.OK != c.ok || !strings.Contains(f.Text, c.want) {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}
