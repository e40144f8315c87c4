package record

import (
	"encoding/json"
	"time"
)

// MaxAnswer is the maximum size of an answer as JSON, in bytes. On a cluster an answer is an annotation, and all annotations
// of a Job may have 256 KiB together.
const MaxAnswer = 32 << 10

// MaxMessage is the maximum size of an approval's message, in bytes.
const MaxMessage = 4 << 10

// Ask is the request of an approval.
type Ask struct {
	Message string          `json:"message"`           // at most MaxMessage
	Type    string          `json:"type,omitempty"`    // the type of the expected value; "": the approval expects none
	Until   time.Time       `json:"until,omitzero"`    // when the approval times out; zero: never
	Default json.RawMessage `json:"default,omitempty"` // the value after Until
}

// Answer is the answer to an approval. It is written once: the first answer counts.
type Answer struct {
	By     string          `json:"by,omitempty"` // the name that the person's pipec reported; "": unknown
	At     time.Time       `json:"at,omitzero"`
	Reject bool            `json:"reject,omitempty"`
	Reason string          `json:"reason,omitempty"`
	Value  json.RawMessage `json:"value,omitempty"` // of type Ask.Type
}

// Who returns the name of the person who answered.
func (a *Answer) Who() string {
	if a.By == "" {
		return "somebody"
	}
	return a.By
}

// AnswerName returns the name that replaces the address of an approval in the names of files and annotations that answer it.
func AnswerName(address string) string { return digest(address) }
