package remote

import (
	"bytes"
	"context"
	"hash/maphash"
	"time"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/schema/record"
)

// showStored shows the stored lines of an attempt that may have written lines before it was found: its pod may no longer
// have the start of its log. It reports whether the rest should be streamed.
func (a *attemptLog) showStored(ctx context.Context) bool {
	if !a.late {
		return true
	}
	a.stored = newStoredLog(a.store, a.dir, &shownLines{}, func(l lines.Line) error {
		if int64(len(a.repeat))*overhead+a.bytes.Add(int64(l.Size)) < streamLimit {
			a.repeat = append(a.repeat, maphash.Bytes(seed, l.Text))
		}
		return a.emit(l)
	})
	if err := a.stored.pull(ctx); err != nil {
		a.failed(err, false)
		return false
	}
	a.shown = shownLines{hashes: a.repeat, bytes: a.bytes.Load()}
	return a.bytes.Load()+int64(len(a.repeat))*overhead < streamLimit
}

// showRest shows the lines that the stream did not contain, as they are stored, until the attempt has ended.
func (a *attemptLog) showRest(ctx context.Context) {
	if a.stored == nil {
		a.stored = newStoredLog(a.store, a.dir, &a.shown, a.emit)
	}
	a.shown.hashes, a.repeat = nil, nil
	if a.tail != nil {
		a.showEnd(ctx)
		return
	}
	for !a.ended.isSet() {
		err := a.stored.pull(ctx)
		if err == nil {
			err = a.stored.split.State()
		}
		if err != nil {
			a.failed(err, false)
		}
		select {
		case <-time.After(storeEvery):
		case <-a.ended:
		case <-ctx.Done():
			return
		}
	}
	a.finish(ctx)
}

// showEnd shows the last lines of an attempt whose lines can't be streamed, when it has ended.
func (a *attemptLog) showEnd(ctx context.Context) {
	select {
	case <-a.ended:
	case <-ctx.Done():
		return
	}
	var last []lines.Line
	a.stored = newStoredLog(a.store, a.dir, &shownLines{}, func(l lines.Line) error {
		if l.Text = bytes.Clone(l.Text); int64(len(last)) == *a.tail {
			last = append(last[:0], last[min(1, len(last)):]...)
		}
		if int64(len(last)) < *a.tail {
			last = append(last, l)
		}
		return nil
	})
	a.finish(ctx)
	for _, l := range last {
		if a.emit(l) != nil {
			return
		}
	}
}

// finish reads the rest of the stored log of an attempt that has ended.
func (a *attemptLog) finish(ctx context.Context) {
	if a.result != nil {
		a.stored.times = record.ParseLogTimes(a.result.Log.Times)
	}
	const tries = 4
	for try := range tries {
		err := a.stored.finish(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if try == tries-1 {
			a.failed(err, true)
			return
		}
		select {
		case <-time.After(firstPause << try):
		case <-ctx.Done():
			return
		}
	}
}
