package step

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"pipec.dev/pipec/runtime/store"
)

// smallDisk is a file in memory on a disk with room for so many segments.
type smallDisk struct {
	segments map[int64][]byte
	room     int
}

func (d *smallDisk) ReadAt(p []byte, at int64) (int, error) { return copy(p, d.segments[at]), nil }

func (d *smallDisk) WriteAt(p []byte, at int64) (int, error) {
	if at >= int64(d.room)*segmentSize {
		return 0, syscall.ENOSPC
	}
	if d.segments == nil {
		d.segments = map[int64][]byte{}
	}
	d.segments[at] = bytes.Clone(p)
	return len(p), nil
}

func (d *smallDisk) Truncate(int64) error { d.segments = nil; return nil }
func (d *smallDisk) Close() error         { return nil }

func onDisk(d *smallDisk) spool {
	return spool{limit: spoolLimit, open: func() (spoolFile, error) { return d, nil }}
}

// size is the size of each segment.
const size = 20

// segment returns a segment with its number.
func segment(i int) []byte { return fmt.Appendf(nil, "%*s", size, fmt.Sprintf("<%d>", i)) }

// drained pops everything. It returns the numbers of the segments, and how many bytes are reported to be missing before each,
// and at the end.
func drained(t *testing.T, s *spool) (numbers []int, missing int) {
	t.Helper()
	for !s.empty() {
		piece := string(s.pop(nil))
		if m := regexp.MustCompile(`pipec: (\d+) bytes of the log are missing here`).FindStringSubmatch(piece); m != nil {
			n, _ := strconv.Atoi(m[1])
			missing += n
		}
		if m := regexp.MustCompile(`<(\d+)>`).FindStringSubmatch(piece); m != nil {
			n, _ := strconv.Atoi(m[1])
			numbers = append(numbers, n)
		}
	}
	return numbers, missing
}

func TestSpool(t *testing.T) {
	for _, c := range []struct {
		name         string
		pushed, room int // segments
		kept         int
		first, last  int // the number of segments at the beginning and at the end that must be kept
	}{
		{"all fits", 10, 1000, 10, 10, 0},
		{"more than the limit", 200, 1000, spoolLimit, spoolLimit / 2, spoolLimit / 2},
		{"a disk that is nearly full", 50, 6, 6, 3, 3},
		{"a disk with room for one", 5, 1, 1, 0, 1},
		{"a full disk", 5, 0, 0, 0, 0},
	} {
		s := onDisk(&smallDisk{room: c.room})
		for i := range c.pushed {
			s.push(segment(i))
		}
		got, missing := drained(t, &s)
		if len(got) != c.kept || missing != (c.pushed-c.kept)*size {
			t.Errorf("%s: kept %v, missing %d", c.name, got, missing)
			continue
		}
		for i := range c.first {
			if got[i] != i {
				t.Errorf("%s: kept %v", c.name, got)
				break
			}
		}
		for i := range c.last {
			if got[len(got)-1-i] != c.pushed-1-i {
				t.Errorf("%s: kept %v", c.name, got)
				break
			}
		}
	}
}

// TestSpoolOrder: whatever is pushed and popped in whatever order, on a disk of whatever size, nothing comes twice or in
// another order, and each byte comes out or is reported to be missing.
func TestSpoolOrder(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := &smallDisk{room: r.IntN(10)}
		s := onDisk(d)
		s.limit = 1 + r.IntN(8)
		pushed, last, missing, kept := 0, -1, 0, 0
		take := func() {
			piece := string(s.pop(nil))
			if m := regexp.MustCompile(`pipec: (\d+) bytes`).FindStringSubmatch(piece); m != nil {
				n, _ := strconv.Atoi(m[1])
				missing += n
			}
			if m := regexp.MustCompile(`<(\d+)>`).FindStringSubmatch(piece); m != nil {
				n, _ := strconv.Atoi(m[1])
				if n <= last {
					t.Fatalf("seed %d: %d after %d", seed, n, last)
				}
				last = n
				kept++
			}
		}
		for range 40 {
			if r.IntN(3) > 0 {
				s.push(segment(pushed))
				pushed++
			} else if !s.empty() {
				take()
			}
		}
		for !s.empty() {
			take()
		}
		if missing+kept*size != pushed*size {
			t.Fatalf("seed %d: %d pushed, %d kept, %d bytes missing", seed, pushed, kept, missing)
		}
	}
}

// TestSpoolFile: the file has no name, so that nothing of it is left, and a directory that can't be written is like a full disk.
func TestSpoolFile(t *testing.T) {
	dir := t.TempDir()
	s := newSpool(filepath.Join(dir, spoolName))
	s.push([]byte("one\n"))
	s.push([]byte("two\n"))
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	if got := string(s.pop(nil)) + string(s.pop(nil)); got != "one\ntwo\n" || !s.empty() {
		t.Errorf("%q", got)
	}
	s.close()
	s = newSpool(filepath.Join(dir, "absent", spoolName))
	s.push([]byte("three\n"))
	if got := string(s.pop(nil)); !strings.Contains(got, "6 bytes of the log are missing here") {
		t.Errorf("%q", got)
	}
}

// TestSpoolUnread: a segment that can't be read any more is reported to be missing.
func TestSpoolUnread(t *testing.T) {
	s := spool{limit: 4, open: func() (spoolFile, error) { return unread{&smallDisk{room: 10}}, nil }}
	s.push([]byte("one\n"))
	if got := string(s.pop(nil)); !strings.Contains(got, "4 bytes of the log are missing here") {
		t.Errorf("%q", got)
	}
}

type unread struct{ *smallDisk }

func (unread) ReadAt([]byte, int64) (int, error) { return 0, errors.New("input/output error") }

// TestFileKeeper: a log that can't be written for a while has a note. It is an error only if it can't be written at the end.
func TestFileKeeper(t *testing.T) {
	for _, again := range []bool{true, false} {
		dir := t.TempDir()
		st, err := store.OpenLocal(filepath.Join(dir, "store"))
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		k := &fileKeeper{s: st, spec: &Spec{Root: dir, AttemptDir: "attempts/ns/p/r/s/1"}}
		if err := os.Mkdir(k.spec.LogFile(), 0o777); err != nil { // in the way of the file
			t.Fatal(err)
		}
		for _, line := range []string{"one\n", "two\n"} {
			if n, err := k.Write([]byte(line)); n != len(line) || err != nil {
				t.Error(n, err)
			}
		}
		if again {
			if err := os.Remove(k.spec.LogFile()); err != nil {
				t.Fatal(err)
			}
			_, _ = k.Write([]byte("three\n"))
		}
		log, err := k.Close(t.Context())
		if (err == nil) != again {
			t.Errorf("writable again %v: %v", again, err)
		}
		if !again {
			continue
		}
		data, err := store.ReadAll(t.Context(), st, LogKey(k.spec.AttemptDir, 0))
		if want := "\npipec: 8 bytes of the log are missing here: is a directory\nthree\n"; err != nil || string(data) != want || log.Bytes != int64(len(want)) {
			t.Errorf("%q, %+v, %v", data, log, err)
		}
	}
}
