package step

import (
	"encoding/json"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Termination is what the wrapper leaves as its container's termination message: how the attempt has ended, and the
// digest of the result that it committed. Where it could commit none, it says why.
type Termination struct {
	Result   string        `json:"result,omitempty"` // digest of result.json's bytes; "": none was committed
	Status   record.Status `json:"status"`
	Class    record.Class  `json:"class,omitempty"`
	ExitCode *int          `json:"exit_code,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Message  string        `json:"message,omitempty"`
}

// MaxTermination is how long Kubernetes lets a termination message be, in bytes.
const MaxTermination = 4096

// NewTermination tells of a result; committed says that it is in the store.
func NewTermination(r *record.Result, committed bool) *Termination {
	t := &Termination{Status: r.Status, Class: r.Class, ExitCode: r.ExitCode, Reason: r.Reason, Message: r.Message}
	if data, err := store.EncodeJSON(r); err == nil && committed {
		t.Result = program.Digest(data)
	}
	return t
}

// Encode writes it in at most MaxTermination bytes: of a long message the beginning is kept.
func (t *Termination) Encode() []byte {
	c := *t
	for limit := 3 << 10; ; limit /= 2 {
		if len(c.Message) > limit {
			c.Message = record.Clip(c.Message, limit)
		}
		data, err := store.EncodeJSON(&c)
		if err == nil && len(data) <= MaxTermination || limit == 0 {
			return data
		}
	}
}

// ParseTermination reads a container's termination message; false: it is none of the wrapper's.
func ParseTermination(message string) (*Termination, bool) {
	var t Termination
	if json.Unmarshal([]byte(message), &t) != nil || t.Status == "" {
		return nil, false
	}
	return &t, true
}
