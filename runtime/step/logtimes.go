package step

import (
	"os"
	"path/filepath"
	"time"

	"pipec.dev/pipec/schema/record"
)

const (
	// maxLogTimes limits the times of a log. When there are more, every second one is dropped, and the gap between times
	// doubles: a time is then accurate to about a hundredth of what the log covers.
	maxLogTimes = 100
	logTimeGap  = 10 * time.Millisecond
	logTimesOld = time.Second // how often the times of a running step are written, so that others can read them
)

// TimesFile is the file with the times of the log of a running step without Segments, in an attempt's directory. A step
// that writes for less than a second has none.
func TimesFile(root string) string { return filepath.Join(root, ".log-times") }

// logTimes notes when the parts of a log were written.
type logTimes struct {
	now    func() time.Time
	file   string // is written while the step runs; "": none
	times  record.LogTimes
	gap    time.Duration
	offset int64
	saved  time.Time
	exists bool
}

func newLogTimes(spec *Spec, now func() time.Time) logTimes {
	t := logTimes{now: now, gap: logTimeGap}
	if t.now == nil {
		t.now = time.Now
	}
	if !spec.Segments {
		t.file = TimesFile(spec.Root)
	}
	return t
}

// wrote notes that so many bytes are being written.
func (t *logTimes) wrote(n int) {
	at := t.now()
	if last := len(t.times) - 1; last < 0 || at.Sub(t.times[last].At) >= t.gap {
		t.add(at)
	}
	t.offset += int64(n)
}

func (t *logTimes) add(at time.Time) {
	if len(t.times) == maxLogTimes {
		kept := t.times[:0]
		for i := 0; i < len(t.times); i += 2 {
			kept = append(kept, t.times[i])
		}
		t.times, t.gap = kept, 2*t.gap
	}
	t.times = append(t.times, record.LogTime{Offset: t.offset, At: at})
	if t.saved.IsZero() {
		t.saved = at
	}
	if t.file != "" && at.Sub(t.saved) >= logTimesOld {
		t.saved = at
		t.save()
	}
}

// save writes the file. If it can't be written, the times of a running step are not known to others.
func (t *logTimes) save() {
	temp := t.file + ".tmp"
	if os.WriteFile(temp, []byte(t.times.String()), 0o666) == nil && os.Rename(temp, t.file) == nil {
		t.exists = true
		return
	}
	_ = os.Remove(temp)
}

// close removes the file, and returns the times.
func (t *logTimes) close() string {
	if t.exists {
		_ = os.Remove(t.file)
	}
	return t.times.String()
}
