package record

import (
	"encoding/json"
	"time"
)

// MaxAnswer is how large an answer may be, as JSON: on a cluster it is an annotation, and those of a Job have 256 KiB
// together.
const MaxAnswer = 32 << 10

// MaxMessage bounds what is asked.
const MaxMessage = 4 << 10

// Ask is what an approval asks.
type Ask struct {
	Message string          `json:"message"`           // at most MaxMessage
	Type    string          `json:"type,omitempty"`    // of the value that is asked for; "": approving is all there is
	Until   time.Time       `json:"until,omitzero"`    // zero: as long as the run may take
	Default json.RawMessage `json:"default,omitempty"` // the value after that
}

// Answer is what somebody said to it. It is written once: the first one counts.
type Answer struct {
	By     string          `json:"by,omitempty"` // who, as their pipec says; "": not known
	At     time.Time       `json:"at,omitzero"`
	Reject bool            `json:"reject,omitempty"`
	Reason string          `json:"reason,omitempty"`
	Value  json.RawMessage `json:"value,omitempty"` // of the type that is asked for
}

// Who names who has answered.
func (a *Answer) Who() string {
	if a.By == "" {
		return "somebody"
	}
	return a.By
}

// AnswerName stands for the address of an approval in the names of the files and annotations that answer it.
func AnswerName(address string) string { return digest(address) }
