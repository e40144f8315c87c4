package record

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLogTimes(t *testing.T) {
	at := time.UnixMilli(1_764_521_234_567).UTC()
	times := LogTimes{{0, at}, {340, at.Add(time.Second)}, {341, at.Add(time.Minute)}}
	text := times.String()
	if text != "1764521234567+0,1000+340,59000+1" {
		t.Errorf("encoded as %s", text)
	}
	read := ParseLogTimes(text)
	for offset, want := range map[int64]time.Time{0: at, 339: at, 340: at.Add(time.Second), 341: at.Add(time.Minute), 9999: at.Add(time.Minute)} {
		if got := read.At(offset); !got.Equal(want) {
			t.Errorf("offset %d: %s, want %s", offset, got, want)
		}
	}
	if got := (LogTimes{{5, at}}).At(4); !got.IsZero() {
		t.Errorf("before the first: %s", got)
	}
	for d, want := range map[time.Duration]int64{-time.Hour: 0, 0: 0, 1: 340, time.Second: 340, 2 * time.Second: 341, time.Hour: 341} {
		if got := read.From(at.Add(d)); got != want {
			t.Errorf("from %s on: %d, want %d", d, got, want)
		}
	}
	for _, text := range []string{"", "x", "1", "1+", "-1+0", "1+-1", "1+0,y", "99999999999999999999+0"} {
		if got := ParseLogTimes(text); len(got) > 1 {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestLogTimesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var times LogTimes
		at, offset := int64(0), int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "points") {
			at += rapid.Int64Range(0, 1e12).Draw(t, "ms")
			offset += rapid.Int64Range(0, 1e12).Draw(t, "bytes")
			times = append(times, LogTime{offset, time.UnixMilli(at).UTC()})
		}
		read := ParseLogTimes(times.String())
		if len(read) != len(times) {
			t.Fatalf("%v is read as %v", times, read)
		}
		for i := range times {
			if read[i].Offset != times[i].Offset || !read[i].At.Equal(times[i].At) {
				t.Fatalf("%v is read as %v", times, read)
			}
		}
	})
}
