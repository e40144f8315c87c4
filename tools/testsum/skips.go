package main

import (
	"fmt"
	"os"
	"strings"
)

// skip is one line of the file of skips.
type skip struct{ pkg, name, command, why string }

type skips []skip

func readSkips(path string) (skips, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out skips
	for i, line := range strings.Split(string(data), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, " | ")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%s:%d: expected PACKAGE TEST | COMMAND | WHY", path, i+1)
		}
		names := strings.Fields(parts[0])
		if len(names) != 2 || strings.TrimSpace(parts[1]) == "" || strings.TrimSpace(parts[2]) == "" {
			return nil, fmt.Errorf("%s:%d: expected PACKAGE TEST | COMMAND | WHY", path, i+1)
		}
		out = append(out, skip{names[0], names[1], strings.TrimSpace(parts[1]), strings.TrimSpace(parts[2])})
	}
	return out, nil
}

// reason returns why a test may be skipped. An entry for a test covers its subtests, and * covers all tests of the package.
func (all skips) reason(t test, succeeds func(command string) bool) (string, bool) {
	for _, s := range all {
		if s.pkg == t.pkg && (s.name == "*" || s.name == t.name || strings.HasPrefix(t.name, s.name+"/")) && succeeds(s.command) {
			return s.why, true
		}
	}
	return "", false
}
