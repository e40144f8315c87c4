// Package rules reads the rules of the language and their cases from testdata/rules, for the tests that run them and for
// the pages of docs/meaning. Package test/rules explains what a case is.
package rules

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// Case is one clause of a rule, with a project that shows it.
type Case struct {
	Path   string // of the file
	Name   string // of the file, without its ending
	Rule   int    // its number in rules.md
	Clause string // a sentence
	Text   string // what else a reader needs to know; may be ""
	Files  []txtar.File
	Runs   []Run
	Want   string

	Only, Because string // the only driver that runs it, and why
	AtOnce        []string
	Without       []string
}

// Run is one command, and what is done while it runs.
type Run struct {
	Command []string
	Acts    []Act
}

// Act is a command to run after a step has written a line.
type Act struct {
	Step, Line string
	Command    []string
}

// Load reads the cases of a directory, in order.
func Load(dir string) ([]*Case, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	var out []*Case
	for _, path := range paths {
		c, err := read(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b *Case) int { return a.Rule - b.Rule })
	return out, nil
}

func read(path string) (*Case, error) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		return nil, err
	}
	c := &Case{Path: path, Name: strings.TrimSuffix(filepath.Base(path), ".txtar")}
	number, _, _ := strings.Cut(c.Name, "-")
	if c.Rule, err = strconv.Atoi(number); err != nil || c.Rule < 1 {
		return nil, fmt.Errorf("its name doesn't start with the number of a rule")
	}
	if err := c.comment(string(a.Comment)); err != nil {
		return nil, err
	}
	runs := "pipec run\n"
	for _, f := range a.Files {
		switch f.Name {
		case "runs":
			runs = string(f.Data)
		case "want":
			c.Want = string(f.Data)
		default:
			c.Files = append(c.Files, f)
		}
	}
	return c, c.runs(runs)
}

func (c *Case) comment(text string) error {
	var rest []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "only":
			var ok bool
			if c.Only, c.Because, ok = strings.Cut(value, ", because "); !ok || c.Only != "local" && c.Only != "cluster" {
				return fmt.Errorf("%q: expected \"only: local, because …\" or \"only: cluster, because …\"", line)
			}
		case "at once":
			c.AtOnce = strings.Fields(value)
		case "without":
			c.Without = strings.Fields(value)
		default:
			rest = append(rest, line)
		}
	}
	c.Clause, c.Text, _ = strings.Cut(strings.TrimSpace(strings.Join(rest, "\n")), "\n")
	c.Text = strings.TrimSpace(c.Text)
	if c.Clause == "" {
		return fmt.Errorf("it has no clause")
	}
	return nil
}

func (c *Case) runs(text string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if on, ok := strings.CutPrefix(line, "  on "); ok && len(c.Runs) > 0 {
			what, command, ok := strings.Cut(on, ": ")
			step, said, ok2 := strings.Cut(what, " | ")
			if !ok || !ok2 {
				return fmt.Errorf("%q: expected \"on STEP | LINE: COMMAND\"", line)
			}
			r := &c.Runs[len(c.Runs)-1]
			r.Acts = append(r.Acts, Act{Step: step, Line: said, Command: strings.Fields(command)})
			continue
		}
		command := strings.Fields(line)
		if len(command) < 2 || command[0] != "pipec" {
			return fmt.Errorf("%q is not a command of pipec", line)
		}
		c.Runs = append(c.Runs, Run{Command: command})
	}
	return nil
}
