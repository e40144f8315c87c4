package step

import (
	"context"
	"fmt"
	"io"
	"os"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// keeper stores the log. It accepts all bytes, and drops what it can't keep, because the process must not be blocked by a
// full pipe.
type keeper interface {
	io.Writer
	// Close stores the rest, and returns the location of the log.
	Close(ctx context.Context) (record.Log, error)
}

// fileKeeper writes a file that other processes can follow, and stores it at the end. It creates no file without
// output. If the disk is full for a while, the log has a note in place of what is missing.
type fileKeeper struct {
	s    store.Store
	spec *Spec
	f    *os.File // nil before the first byte
	n    int64
	lost int64 // bytes that could not be written since the last one that was
	err  error // of the last write
}

func (k *fileKeeper) Write(p []byte) (int, error) {
	if !k.note() {
		k.lost += int64(len(p))
		return len(p), nil
	}
	k.lost = int64(len(p) - k.put(p))
	return len(p), nil
}

// note writes a note about bytes that are missing. It reports false if there are some and it can't be written.
func (k *fileKeeper) note() bool {
	if k.lost == 0 {
		return true
	}
	note := fmt.Sprintf("\npipec: %d bytes of the log are missing here: %s\n", k.lost, plain(k.err))
	if k.put([]byte(note)); k.err != nil {
		return false
	}
	k.lost = 0
	return true
}

// put writes to the file, and returns how much it has written.
func (k *fileKeeper) put(p []byte) (n int) {
	if k.f == nil {
		k.f, k.err = os.OpenFile(k.spec.LogFile(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if k.err != nil {
			k.f = nil
			return 0
		}
	}
	n, k.err = k.f.Write(p)
	k.n += int64(n)
	return n
}

func (k *fileKeeper) Close(ctx context.Context) (record.Log, error) {
	k.note()
	if k.f != nil {
		if err := k.f.Close(); k.err == nil {
			k.err = err
		}
	}
	if k.n == 0 {
		return record.Log{}, k.err
	}
	if err := store.PutFile(ctx, k.s, LogKey(k.spec.AttemptDir, 0), k.spec.LogFile(), store.Replace); k.err == nil {
		k.err = err
	}
	return record.Log{Segments: 1, Bytes: k.n}, k.err
}

// logger combines the masking of secrets, the stored log and the lines.
type logger struct {
	keep   keeper
	tee    *lines.Marker // nil: none
	lines  *lines.Paced  // nil: none
	masked *mask.Writer  // nil: nothing is masked
	times  logTimes
	last   byte // the last byte written
}

func newLogger(keep keeper, spec *Spec, d *Deps, secrets *mask.Set) *logger {
	l := &logger{keep: keep, last: '\n', times: newLogTimes(spec, d.Now)}
	if d.Tee != nil {
		l.tee = lines.NewMarker(d.Tee)
	}
	if d.Line != nil {
		l.lines = lines.NewPaced(func(line lines.Line) error {
			d.Line(line)
			return nil
		})
	}
	l.masked = secrets.Writer(plainWriter{l})
	return l
}

func (l *logger) Write(p []byte) (int, error) {
	if l.masked != nil {
		return l.masked.Write(p)
	}
	return plainWriter{l}.Write(p)
}

// plainWriter is the logger after secrets were masked.
type plainWriter struct{ l *logger }

func (w plainWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	w.l.last = p[len(p)-1]
	if w.l.tee != nil {
		_, _ = w.l.tee.Write(p)
	}
	if w.l.lines != nil {
		_, _ = w.l.lines.Write(p)
	}
	w.l.times.wrote(len(p))
	return w.l.keep.Write(p)
}

// flush ends the output of the process.
func (l *logger) flush() {
	if l.masked != nil {
		_ = l.masked.Flush()
	}
}

// note adds a line of pipec to the log.
func (l *logger) note(format string, args ...any) {
	start := ""
	if l.last != '\n' {
		start = "\n"
	}
	_, _ = fmt.Fprintf(l, start+"pipec: "+format+"\n", args...)
}

func (l *logger) close(ctx context.Context) (record.Log, error) {
	l.flush()
	if l.lines != nil {
		_ = l.lines.Flush()
	}
	if l.tee != nil {
		l.tee.Close()
	}
	times := l.times.close()
	log, err := l.keep.Close(ctx)
	if log.Bytes > 0 {
		log.Times = times
	}
	return log, err
}
