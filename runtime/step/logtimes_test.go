package step

import (
	"os"
	"testing"
	"time"

	"pipec.dev/pipec/schema/record"
)

// The times of a long log are few, and as accurate as its length allows. While it is written, others can read them.
func TestLogTimes(t *testing.T) {
	dir, start := t.TempDir(), time.UnixMilli(1_764_521_234_567)
	now := start
	times := newLogTimes(&Spec{Root: dir}, func() time.Time { return now })
	const writes = 10_000
	for range writes {
		times.wrote(10)
		now = now.Add(50 * time.Millisecond)
	}
	if running, err := os.ReadFile(TimesFile(dir)); err != nil || len(record.ParseLogTimes(string(running))) < 2 {
		t.Errorf("while it runs: %s, %v", running, err)
	}
	read := record.ParseLogTimes(times.close())
	if len(read) > maxLogTimes || len(read) < maxLogTimes/4 {
		t.Errorf("%d times", len(read))
	}
	total := now.Sub(start)
	for i := range int64(writes) {
		want := start.Add(time.Duration(i) * 50 * time.Millisecond)
		if got := read.At(i * 10); got.After(want) || want.Sub(got) > total/20 {
			t.Fatalf("write %d was at %s, and not at %s", i, got, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestLogTimesOfShortSteps(t *testing.T) {
	dir := t.TempDir()
	times := newLogTimes(&Spec{Root: dir}, nil)
	if got := times.close(); got != "" {
		t.Errorf("without output: %q", got)
	}
	times.wrote(5)
	times.wrote(5)
	if got := record.ParseLogTimes(times.close()); len(got) == 0 || got[0].Offset != 0 {
		t.Errorf("%v", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a short step has written %v, %v", entries, err)
	}
}
