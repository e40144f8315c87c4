package runs

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// onlyReader hides that a reader can seek.
type onlyReader struct{ io.Reader }

func (onlyReader) Close() error { return nil }

type seekable struct{ *bytes.Reader }

func (seekable) Close() error { return nil }

// naive returns the offset of the last n lines of a text.
func naive(text string, n int) int64 {
	lines := strings.SplitAfter(text, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	size := 0
	for _, l := range lines[max(0, len(lines)-n):] {
		size += len(l)
	}
	return int64(len(text) - size)
}

// The last lines of a log are found from its end, wherever its segments are cut and its blocks begin.
func TestLastLinesOfPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-c]{0,3}\n){0,12}[a-c]{0,3}`).Draw(t, "log")
		if rapid.Bool().Draw(t, "long") {
			text += strings.Repeat("x", backwardBlock+rapid.IntRange(-2, 2).Draw(t, "extra")) + rapid.SampledFrom([]string{"", "\n", "\na\n"}).Draw(t, "end")
		}
		var pieces []piece
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "segment")
			data := []byte(rest[:n])
			rest = rest[n:]
			seeks := rapid.Bool().Draw(t, "seeks")
			pieces = append(pieces, piece{int64(n), func() (io.ReadCloser, error) {
				if seeks {
					return seekable{bytes.NewReader(data)}, nil
				}
				return onlyReader{bytes.NewReader(data)}, nil
			}})
		}
		n := rapid.IntRange(0, 15).Draw(t, "lines")
		got, err := lastOf(pieces, n)
		if want := naive(text, n); err != nil || got != want {
			t.Fatalf("the last %d lines of %.60q begin at %d, not at %d: %v", n, text, got, want, err)
		}
	})
}
