package kube

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// Of a log of any length, read in pieces of any size, the tail is what lies behind the stored bytes; where the node has
// less than was stored it is all that the node has; and it is never longer than its bound.
func TestTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(maxTail-2, 3*maxTail+2)).Draw(t, "size")
		skip := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 3*maxTail)).Draw(t, "skip")
		log := make([]byte, size)
		for i := range log {
			log[i] = byte(i ^ i>>8 ^ i>>16)
		}
		want := log
		if skip <= size {
			want = log[skip:]
		}
		want = want[max(0, len(want)-maxTail):]
		var from io.Reader = bytes.NewReader(log)
		if rapid.Bool().Draw(t, "halves") {
			from = iotest.HalfReader(from)
		}
		got := &tail{skip: int64(skip)}
		if _, err := io.Copy(got, from); err != nil || !bytes.Equal(got.bytes(), want) {
			t.Fatalf("of %d bytes, %d stored, the tail has %d bytes, and %d are wanted: %v", size, skip, len(got.bytes()), len(want), err)
		}
	})
}
