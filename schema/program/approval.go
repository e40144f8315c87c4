package program

import "encoding/json"

// Approval asks somebody, and waits for the answer.
type Approval struct {
	Message Value    `json:"message"` // a string when evaluated
	Timeout Duration `json:"timeout,omitempty"`
	// Default is the value when nobody has answered in time; nil: the step has timed out then.
	Default json.RawMessage `json:"default,omitempty"`
}

// ApprovalOutput is the output of an approval that asks for a value; one that doesn't has no outputs.
const ApprovalOutput = "value"

// ValueType is the type of the value that the step's approval asks for; "": it asks for none.
func (s *Step) ValueType() string {
	for i := range s.Outputs {
		if s.Approval != nil && s.Outputs[i].Name == ApprovalOutput {
			return s.Outputs[i].Type
		}
	}
	return ""
}

// Process says whether the step starts a process of its own: it neither calls a pipeline nor asks for an approval.
func (s *Step) Process() bool { return s.Call == nil && s.Approval == nil }
