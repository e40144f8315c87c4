package program

import "encoding/json"

// Approval makes a step ask for an answer and wait for it.
type Approval struct {
	Message Value    `json:"message"` // a string when evaluated
	Timeout Duration `json:"timeout,omitempty"`
	// Default is the value if there is no answer in time. If it is nil, the step times out.
	Default json.RawMessage `json:"default,omitempty"`
}

// ApprovalOutput is the name of the output of an approval that expects a value. Other approvals have no outputs.
const ApprovalOutput = "value"

// ValueType returns the type of the value that the step's approval expects, or "" if it expects none.
func (s *Step) ValueType() string {
	for i := range s.Outputs {
		if s.Approval != nil && s.Outputs[i].Name == ApprovalOutput {
			return s.Outputs[i].Type
		}
	}
	return ""
}

// Process reports whether the step starts a process: it neither calls a pipeline nor is an approval.
func (s *Step) Process() bool { return s.Call == nil && s.Approval == nil }
