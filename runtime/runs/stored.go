package runs

import (
	"bytes"
	"context"
	"io"
	"iter"
	"os"
	"path"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// pullStored returns the new lines of the segments in the store.
func (t *tail) pullStored(ctx context.Context, id record.AttemptID, c *cursor) error {
	dir, begin := t.run.AttemptDir(id.Step, id.Attempt), int64(0)
	for segment := 0; ; segment++ {
		key := step.LogKey(dir, segment)
		info, err := t.r.store.Stat(ctx, key)
		if isNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if begin+info.Size > c.offset {
			r, err := t.r.store.Get(ctx, key)
			if err != nil {
				return err
			}
			if err := t.readFrom(ctx, c, r, c.offset-begin); err != nil {
				return err
			}
		}
		begin += info.Size
	}
}

// readFrom returns the lines of r after those that were returned before, and closes r.
func (t *tail) readFrom(ctx context.Context, c *cursor, r io.ReadCloser, skip int64) error {
	defer r.Close()
	var err error
	if s, ok := r.(io.Seeker); ok {
		_, err = s.Seek(skip, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, r, skip)
	}
	if err != nil {
		return err
	}
	return t.read(ctx, c, r)
}

// here reports whether this machine still has the log of an attempt.
func (t *tail) here(id record.AttemptID) bool {
	if t.run.Namespace != Namespace {
		return false
	}
	_, err := os.Stat(t.work.LogFile(id.Step, id.Attempt))
	return err == nil
}

// segment is a part of an attempt's log: in the store at key, or the whole log on this machine if key is "".
type segment struct {
	id   record.AttemptID
	key  string
	last bool // the attempt's last
}

// allStored returns the logs of attempts in a remote store. It makes one list request, and opens some segments ahead.
func (t *tail) allStored(ctx context.Context, ids []record.AttemptID) error {
	stored, err := t.segments(ctx, ids)
	if err != nil {
		return err
	}
	type opened struct {
		segment
		r io.ReadCloser // nil: on this machine
	}
	open := func(ctx context.Context, s segment) (opened, error) {
		if s.key == "" {
			return opened{segment: s}, nil
		}
		r, err := t.r.store.Get(ctx, s.key)
		return opened{s, r}, err
	}
	drop := func(o opened) {
		if o.r != nil {
			_ = o.r.Close()
		}
	}
	for o, err := range ahead(ctx, maxRequests, t.plan(ids, stored), open, drop) {
		if err != nil {
			return err
		}
		if o.r == nil {
			if err := t.finish(ctx, o.id); err != nil {
				return err
			}
			continue
		}
		if err := t.readFrom(ctx, t.cursor(o.id), o.r, 0); err != nil {
			return err
		}
		if o.last {
			if err := t.flush(o.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// plan returns the segments to read, in order. An attempt whose log was followed on this machine is read there to its
// end.
func (t *tail) plan(ids []record.AttemptID, stored map[string][]string) iter.Seq2[segment, error] {
	return func(yield func(segment, error) bool) {
		for _, id := range ids {
			if t.at[id] != nil || t.here(id) {
				if !yield(segment{id: id}, nil) {
					return
				}
				continue
			}
			keys := stored[t.run.AttemptDir(id.Step, id.Attempt)]
			for i, key := range keys {
				if !yield(segment{id, key, i == len(keys)-1}, nil) {
					return
				}
			}
		}
	}
}

// segments lists the keys of the selected logs in the store, by the attempts' directories.
func (t *tail) segments(ctx context.Context, ids []record.AttemptID) (map[string][]string, error) {
	prefix := path.Dir(path.Dir(t.run.AttemptDir("x", 1))) + "/"
	switch {
	case len(ids) == 0:
	case len(ids) == 1:
		prefix = t.run.AttemptDir(ids[0].Step, ids[0].Attempt) + "/"
	case ids[0].Step == ids[len(ids)-1].Step && !slices.ContainsFunc(ids, func(id record.AttemptID) bool { return id.Step != ids[0].Step }):
		prefix = path.Dir(t.run.AttemptDir(ids[0].Step, 1)) + "/"
	}
	out := map[string][]string{}
	for key, err := range t.r.store.List(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		dir, ok := strings.CutSuffix(path.Dir(key), "/log")
		if ok && key == step.LogKey(dir, len(out[dir])) { // in order, up to the first missing one
			out[dir] = append(out[dir], key)
		}
	}
	return out, nil
}

// lastStored returns up to n last lines of an attempt, from as many of its last segments as necessary.
func (t *tail) lastStored(ctx context.Context, id record.AttemptID, n int) error {
	stored, err := t.segments(ctx, []record.AttemptID{id})
	if err != nil {
		return err
	}
	var end []byte
	keys := stored[t.run.AttemptDir(id.Step, id.Attempt)]
	for _, key := range slices.Backward(keys) {
		r, err := t.r.store.Get(ctx, key)
		if err != nil {
			return err
		}
		data, err := lastBytes(r, lastWindow)
		_ = r.Close()
		if err != nil {
			return err
		}
		end = append(data, end...)
		if len(end) >= lastWindow || bytes.Count(end, []byte("\n")) > n {
			break
		}
	}
	if err := t.read(ctx, t.cursor(id), bytes.NewReader(end)); err != nil {
		return err
	}
	return t.flush(id)
}

// lastBytes returns at least the last n bytes of r, up to twice as many.
func lastBytes(r io.Reader, n int) ([]byte, error) {
	var out []byte
	buf := make([]byte, n)
	for {
		m, err := io.ReadFull(r, buf)
		if out = append(out, buf[:m]...); len(out) > 2*n {
			out = append(out[:0], out[len(out)-n:]...)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
