package step

import (
	"encoding/json"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Termination is the termination message of the wrapper's container: how the attempt ended, and the digest of the
// committed result. If no result was committed, it contains the reason.
type Termination struct {
	Result   string        `json:"result,omitempty"` // digest of result.json; "": none was committed
	Status   record.Status `json:"status"`
	Class    record.Class  `json:"class,omitempty"`
	ExitCode *int          `json:"exit_code,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Message  string        `json:"message,omitempty"`

	seal string // the key of its seal; "": none
}

// MaxTermination is the maximum length of a termination message in Kubernetes, in bytes.
const MaxTermination = 4096

// NewTermination returns the message for a result. committed states that the result is in the store, and seal is the key of its
// seal and that of the message.
func NewTermination(r *record.Result, committed bool, seal string) *Termination {
	t := &Termination{Status: r.Status, Class: r.Class, ExitCode: r.ExitCode, Reason: r.Reason, Message: r.Message, seal: seal}
	if data, err := encodeResult(r, seal); err == nil && committed {
		t.Result = program.Digest(data)
	}
	return t
}

// Encode encodes the message in at most MaxTermination bytes. It cuts a long message at its end.
func (t *Termination) Encode() []byte {
	c := *t
	for limit := 3 << 10; ; limit /= 2 {
		if len(c.Message) > limit {
			c.Message = record.Clip(c.Message, limit)
		}
		data, err := store.EncodeJSON(&c)
		data = record.Seal(c.seal, record.SealTermination, data)
		if err == nil && len(data) <= MaxTermination || limit == 0 {
			return data
		}
	}
}

// ParseTermination parses a container's termination message; false if it is not a message of the wrapper. The user's process may
// have written it, unless it is sealed: see record.Sealed.
func ParseTermination(message string) (*Termination, bool) {
	var t Termination
	if json.Unmarshal([]byte(message), &t) != nil || t.Status == "" {
		return nil, false
	}
	return &t, true
}
