package remote

import (
	"context"
	"errors"
	"hash/maphash"
	"io"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// storedLog reads the log of an attempt from the store. The wrapper adds a segment every few seconds, and earlier if there
// are many lines. A stored segment doesn't change.
type storedLog struct {
	store store.Store
	dir   string // of the attempt's records
	next  int    // the next segment to read
	split lines.Splitter

	times  record.LogTimes // of the attempt's result
	offset int64           // of the next line
}

// newStoredLog returns a reader of a log from its start, without the lines that were shown before. Lines that a stream has
// lost are shown after these, in the order of the stored log.
func newStoredLog(s store.Store, dir string, before *shownLines, line func(lines.Line) error) *storedLog {
	counts := before.counts()
	out := &storedLog{store: s, dir: dir}
	out.split.Emit = func(l lines.Line) error {
		l.At = out.times.At(out.offset)
		out.offset += int64(l.Size)
		if len(counts) > 0 && l.Part != record.PartState {
			h := maphash.Bytes(seed, l.Text)
			if n := counts[h]; n > 1 {
				counts[h] = n - 1
				return nil
			} else if n == 1 {
				delete(counts, h)
				return nil
			}
		}
		return line(l)
	}
	return out
}

// pull reads the new segments, and calls line with each new complete line.
func (l *storedLog) pull(ctx context.Context) error {
	for {
		r, err := l.store.Get(ctx, step.LogKey(l.dir, l.next))
		if errors.Is(err, store.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		// No line of a segment may be shown before all of it is read: after an error the segment is read again.
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

// finish reads the rest, including an incomplete last line. Call it when no more segments are added.
func (l *storedLog) finish(ctx context.Context) error {
	if err := l.pull(ctx); err != nil {
		return err
	}
	return l.split.Flush()
}
