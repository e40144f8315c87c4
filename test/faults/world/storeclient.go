package world

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"regexp"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/test/faults/history"
)

// bucket is the store as a process reaches it through its network.
type bucket struct{ c *client }

// store returns the process's store, which the real code retries.
func (c *client) bucket() store.Store {
	grace := c.run.Program.Target.StoreGrace.D()
	return store.WithoutJitter(store.Retrying(bucket{c}, grace, func(error) {}))
}

var (
	digests = regexp.MustCompile(`sha256/([0-9a-f]{8})[0-9a-f]*`)
	zeros   = regexp.MustCompile(`/0+([0-9])`)
	index   = regexp.MustCompile(`^(index)/[^/]*(/[^/]*)/.*`)
)

// keyName shortens a key, and leaves out what differs from run to run.
func (r *run) keyName(key string) string {
	for _, dir := range []string{"runs", "attempts"} {
		key = strings.Replace(key, dir+"/"+Namespace+"/"+r.Program.Pipeline+"/"+r.Name+"/", dir+"/", 1)
	}
	return index.ReplaceAllString(zeros.ReplaceAllString(digests.ReplaceAllString(key, "$1"), "/$1"), "$1$2")
}

// send sends a request about an object.
func (b bucket) send(ctx context.Context, verb, key string, obey func() error) error {
	w := b.c.w
	var answer error
	err := b.c.send(ctx, call{verb: "S-" + verb, object: b.c.run.keyName(key), store: true, obey: func() {
		w.mu.Lock()
		away, denied := time.Now().Before(w.away), time.Now().Before(w.denied)
		w.mu.Unlock()
		switch {
		case away:
			answer = refusal(503)
		case denied:
			answer = refusal(403)
		default:
			answer = obey()
		}
	}})
	if err == nil {
		err = answer
	}
	code, refused := err.(refusal)
	switch {
	case err == nil, errors.Is(err, store.ErrNotExist), errors.Is(err, store.ErrExists):
		return err
	case errors.Is(err, errDead), ctx.Err() != nil:
		return err
	case refused && (code == 401 || code == 403):
		return &store.Fault{Class: store.Denied, Text: "the store refuses: " + err.Error(), Err: err}
	}
	return &store.Fault{Class: store.Transient, Text: "the store can't be reached: " + err.Error(), Err: err}
}

// Get implements store.Store.
func (b bucket) Get(ctx context.Context, key string) (r io.ReadCloser, err error) {
	var data []byte
	err = b.send(ctx, "GET", key, func() (err error) { data, err = b.c.w.Objects.get(key); return err })
	return io.NopCloser(bytes.NewReader(data)), err
}

// Put implements store.Store.
func (b bucket) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return b.send(ctx, "PUT", key, func() error {
		fresh, err := b.c.w.Objects.put(ctx, key, data, mode)
		if fresh {
			b.c.run.note(history.Event{Who: b.c.name, What: history.Stored, Text: key})
		}
		return err
	})
}

// Stat implements store.Store.
func (b bucket) Stat(ctx context.Context, key string) (info store.Info, err error) {
	err = b.send(ctx, "STAT", key, func() (err error) { info, err = b.c.w.Objects.Stat(ctx, key); return err })
	return info, err
}

// List implements store.Store.
func (b bucket) List(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := b.send(ctx, "LIST", prefix, func() error { return nil }); err != nil {
			yield("", err)
			return
		}
		b.c.w.Objects.List(ctx, prefix, after)(yield)
	}
}
