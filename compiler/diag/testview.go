package diag

// TestView is a test that was run.
type TestView struct {
	Name     string   `json:"name"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Passed   bool     `json:"passed"`
	Failures []string `json:"failures,omitempty"` // what the test's diagnostics say, each as one text
}

// NewTestView returns the machine-readable form of a test with the diagnostics that it has led to.
func NewTestView(name, file string, line int, passed bool, ds []Diagnostic) TestView {
	v := TestView{Name: Printable(name), File: Printable(file), Line: line, Passed: passed}
	for _, d := range NewView(ds, nil).Diagnostics {
		v.Failures = append(v.Failures, message(d))
	}
	return v
}
