package diag

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The elements of a JUnit report that common readers accept.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// tests adds a case for each test.
func (s *junitSuite) tests(tests []TestView) {
	for _, t := range tests {
		c := junitCase{Name: t.Name, Class: t.File, File: t.File, Line: t.Line}
		if !t.Passed {
			text := strings.Join(t.Failures, "\n\n")
			c.Failure = &junitFailure{Message: t.Name, Type: "error", Text: text}
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
	}
}

// JUnit writes the view as a test report: a case for each test, and for each other diagnostic, which failed if the diagnostic makes the command
// fail. Without diagnostics there is one case that has passed, because readers treat an empty report as a broken one.
func JUnit(w io.Writer, v *View, o Options) error {
	suite := junitSuite{Name: "pipec"}
	suite.tests(v.Tests)
	for _, d := range v.Diagnostics {
		if d.Code == "test-failed" {
			continue // its test is a case
		}
		c := junitCase{Name: d.Code + ": " + d.Summary, Class: "pipec"}
		if d.Range != nil {
			c.File, c.Line, c.Class = d.Range.Filename, d.Range.Start.Line, d.Range.Filename
			c.Name = fmt.Sprintf("%s:%d: %s", d.Range.Filename, d.Range.Start.Line, d.Code)
		}
		if o.fails(d.Severity) {
			c.Failure = &junitFailure{Message: d.Summary, Type: string(d.Severity), Text: message(d)}
			suite.Failures++
		} else {
			c.Out = string(d.Severity) + ": " + message(d)
		}
		suite.Cases = append(suite.Cases, c)
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []junitCase{{Name: "no findings", Class: "pipec"}}
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Tests: suite.Tests, Failures: suite.Failures, Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
