package data_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pipec.dev/pipec/runtime/data"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// counted counts the reads of content, and refuses to write descriptions if readOnly is set.
type counted struct {
	store.Store
	mu       sync.Mutex
	blobs    int
	readOnly bool
}

func (c *counted) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix(key, "blobs/") {
		c.blobs++
	}
	return c.Store.Get(ctx, key)
}

func (c *counted) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if c.readOnly {
		return errors.New("read-only")
	}
	return c.Store.Put(ctx, key, r, mode)
}

func TestKept(t *testing.T) {
	local, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &counted{Store: local, readOnly: true}
	path := filepath.Join(t.TempDir(), "t.csv")
	content := []byte("a,b\n1,x\n2,y\n")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	digest, err := store.PutBytes(t.Context(), local, content)
	if err != nil {
		t.Fatal(err)
	}
	d := &record.Datum{Name: "t", Type: "dataframe", Artifact: &record.Artifact{Digest: digest, Size: int64(len(content)), Format: "csv"}}
	reads := func() int {
		s.blobs = 0
		describe(t, s, d)
		return s.blobs
	}
	for range 2 {
		if n := reads(); n != 1 {
			t.Errorf("%d reads of a read-only store, which keeps no description", n)
		}
	}
	s.readOnly = false
	if reads() != 1 || reads() != 0 {
		t.Error("the description is not kept")
	}
	key := record.DescriptionKey("ns", "dataframe", digest)
	whole, err := store.ReadAll(t.Context(), local, key)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"empty": {}, "torn": whole[:len(whole)/2], "changed": bytes.Replace(whole, []byte(`"count":2`), []byte(`"count":3`), 1),
		"a later version": bytes.Replace(whole, []byte(`"version":1`), []byte(`"version":2`), 1),
	} {
		if err := local.Put(t.Context(), key, bytes.NewReader(damaged), store.Replace); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(damaged, whole) || reads() != 1 || reads() != 0 {
			t.Errorf("%s: the description is not computed again", name)
		}
	}
	d.Artifact.Format = `csv;{"types":[["0",{"object":"str"}]]}` // the same content in another artifact
	if got := describe(t, s, d); got.Table.Columns[0].Kind != "categorical" {
		t.Errorf("%+v", got.Table.Columns[0])
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { describe(t, s, d) })
	}
	wg.Wait()
}

func describe(t *testing.T, s store.Store, d *record.Datum) *data.Description {
	got, err := data.Describe(t.Context(), s, "ns", d)
	if err != nil || got.Problem != "" || got.Table == nil || got.Table.Rows != 2 {
		text, _ := json.Marshal(got)
		t.Errorf("%v %s", err, text)
	}
	return got
}
