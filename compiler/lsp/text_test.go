package lsp

import (
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestPositions: an offset becomes a position and the same offset again, in each encoding; lines and units are counted
// as a plain walk counts them.
func TestPositions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := ""
		for _, piece := range rapid.SliceOf(rapid.SampledFrom([]string{"a", "é", "€", "𝄞", "\n", "\r\n", "\r", "bc", "\xff"})).Draw(t, "pieces") {
			src += piece
		}
		for _, enc := range []encoding{utf8s, utf16, utf32} {
			text := newText([]byte(src), enc)
			want := position{}
			for offset := 0; offset < len(src); {
				if got := text.position(offset); got != want {
					t.Fatalf("%s: %d of %q is %v, not %v", enc, offset, src, got, want)
				}
				if got := text.offset(want); got != offset {
					t.Fatalf("%s: %v of %q is %d, not %d", enc, want, src, got, offset)
				}
				r, size := utf8.DecodeRuneInString(src[offset:])
				if r == '\r' && offset+1 < len(src) && src[offset+1] == '\n' {
					size = 2 // no position is between them
				}
				offset += size
				if r == '\n' || r == '\r' {
					want = position{Line: want.Line + 1}
				} else {
					want.Character += enc.units(r, size)
				}
			}
		}
	})
}
