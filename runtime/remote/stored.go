package remote

import (
	"context"
	"errors"
	"hash/maphash"
	"io"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
)

// storedLog reads the log of an attempt from the store, where the wrapper adds a segment every few seconds or whenever
// there is much of it. A segment that is there doesn't change.
type storedLog struct {
	store store.Store
	dir   string // the attempt's
	next  int    // the segment that is read next
	split splitter
}

// newStoredLog reads the log from its start, less the lines that were shown before. Lines that a stream has lost come
// where the stored log has them, as far as that is still possible: after what was shown.
func newStoredLog(s store.Store, dir string, before *shown, line func(text []byte, size int) error) *storedLog {
	counts := before.counts()
	return &storedLog{store: s, dir: dir, split: splitter{line: func(text []byte, size int) error {
		if len(counts) > 0 {
			h := maphash.Bytes(seed, text)
			if n := counts[h]; n > 1 {
				counts[h] = n - 1
				return nil
			} else if n == 1 {
				delete(counts, h)
				return nil
			}
		}
		return line(text, size)
	}}}
}

// pull gives the whole lines that are new.
func (l *storedLog) pull(ctx context.Context) error {
	for {
		r, err := l.store.Get(ctx, step.LogKey(l.dir, l.next))
		if errors.Is(err, store.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		// A segment that can't be read to its end is read again: nothing of it may be shown before.
		data, err := io.ReadAll(r)
		_ = r.Close()
		if err != nil {
			return err
		}
		if _, err := l.split.Write(data); err != nil {
			return err
		}
		l.next++
	}
}

// finish gives the rest, when nothing is added any more.
func (l *storedLog) finish(ctx context.Context) error {
	if err := l.pull(ctx); err != nil {
		return err
	}
	return l.split.Flush()
}
