package faults

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDocumented checks that docs/reliability.md lists the findings of known.txt, and no others.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	known := readKnown(t)
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \|`).FindAllSubmatch(page, -1) {
		got = append(got, string(m[1]))
	}
	want := slices.Compact(slices.Sorted(maps.Values(known)))
	if !slices.Equal(got, want) {
		t.Errorf("the page lists the findings %q, expected %q", got, want)
	}
	if text := fmt.Sprintf("finds %d runs", len(known)); !bytes.Contains(page, []byte(text)) {
		t.Errorf("the page does not contain %q", text)
	}
}
