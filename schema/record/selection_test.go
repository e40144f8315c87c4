package record_test

import (
	"testing"

	"pipec.dev/pipec/schema/record"
)

func TestSelection(t *testing.T) {
	s := record.Select([]string{"a", "call.train", `fan["x"]`})
	for at, want := range map[record.Address][2]bool{
		"a": {true, true}, "a[0]": {true, true}, "a.b#2": {true, true}, "call": {true, false}, "call.train": {true, true}, "call.train[1]": {true, true},
		"call.other": {false, false}, "fan": {true, false}, `fan["x"].b`: {true, true}, `fan["y"]`: {false, false}, "b": {false, false}, "ab": {false, false},
	} {
		if got := [2]bool{s.Has(at), s.Whole(at)}; got != want {
			t.Errorf("%s: got %v, want %v", at, got, want)
		}
	}
	if all := record.Select(nil); !all.All() || !all.Has("x") || !all.Whole("x") || s.All() {
		t.Error("an empty list must select everything")
	}
}
