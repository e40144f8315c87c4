package panics

import (
	"errors"
	"strings"
	"testing"
)

func boom(v any) { panic(v) }

func index(list []int, i int) int { return list[i] }

// recovered returns the place and the details of a panic.
func recovered(do func()) (at, details string) {
	defer func() {
		v := recover()
		at, details = At(), Details(v)
	}()
	do()
	return "", ""
}

func TestPanics(t *testing.T) {
	for name, c := range map[string]struct {
		do       func()
		at, says string
	}{
		"text":       {func() { boom("geheimnis") }, "panics.boom", "is not shown"},
		"error":      {func() { boom(errors.New("geheimnis")) }, "panics.boom", "is not shown"},
		"Go's error": {func() { index(nil, 3) }, "panics.index", "index out of range [3]"},
	} {
		at, details := recovered(c.do)
		if at != c.at || !strings.Contains(details, c.says) || !strings.Contains(details, c.at) || strings.Contains(details, "geheimnis") {
			t.Errorf("%s: in %s, %s", name, at, details)
		}
	}
	if got, want := Message("a.b", "it"), "internal error of pipec in a.b: please report it"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
