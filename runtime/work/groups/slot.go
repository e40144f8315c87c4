package groups

import (
	"encoding/json"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/runtime/work/flock"
)

// Holder is a run that holds a slot, with the attempt of its step.
type Holder struct {
	Run     string    `json:"run"`
	Step    string    `json:"step"`
	Attempt int       `json:"attempt"`
	Since   time.Time `json:"since"`
	// Dead reports that the run's pipec was killed and that processes of the run are still alive.
	Dead bool `json:"-"`
}

// is reports whether two holders are the same attempt.
func (h *Holder) is(other *Holder) bool {
	return h.Run == other.Run && h.Step == other.Step && h.Attempt == other.Attempt
}

// Slot is a slot that this process holds.
type Slot struct{ f *os.File }

// occupy stores the holder in the file of a slot, which the caller has locked.
func occupy(f *os.File, h Holder) (*Slot, error) {
	data, err := json.Marshal(h)
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(data, 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Slot{f}, nil
}

// File returns the file that a process must inherit to hold the slot too.
func (s *Slot) File() *os.File { return s.f }

// Release releases the slot, even if other processes have inherited its file.
func (s *Slot) Release() {
	_ = s.f.Truncate(0)
	_ = flock.Lock(s.f, unix.LOCK_UN)
	_ = s.f.Close()
}

// holderOf returns the holder that the file of a slot names. known is false if it names none.
func holderOf(name string) (h Holder, known bool) {
	f, err := os.Open(name)
	if err != nil {
		return Holder{}, false
	}
	defer f.Close()
	return readHolder(f)
}

// readHolder returns the holder that an open file names.
func readHolder(f *os.File) (h Holder, known bool) {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil || json.Unmarshal(data, &h) != nil || h.Run == "" {
		return Holder{}, false
	}
	return h, true
}
