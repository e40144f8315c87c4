package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Rule is one rule of rules.md.
type Rule struct {
	Number      int
	Title, Text string
}

// Rules reads the rules themselves from rules.md, next to the cases.
func Rules(dir string) ([]Rule, error) {
	data, err := os.ReadFile(filepath.Join(dir, "rules.md"))
	if err != nil {
		return nil, err
	}
	var out []Rule
	for i, part := range strings.Split("\n"+string(data), "\n## ")[1:] {
		head, text, _ := strings.Cut(part, "\n")
		number, title, _ := strings.Cut(head, ". ")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return nil, fmt.Errorf("rules.md: %q is not rule %d", head, i+1)
		}
		out = append(out, Rule{i + 1, title, strings.TrimSpace(text)})
	}
	return out, nil
}
