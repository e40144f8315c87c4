package runs

import (
	"testing"

	"pipec.dev/pipec/schema/record"
)

// FuzzParseEvents: whatever a segment contains, the parsed events are no newer than this reader supports.
func FuzzParseEvents(f *testing.F) {
	f.Add([]byte("{\"version\":1,\"type\":\"run_started\"}\n{\"ver"))
	f.Add([]byte("{\"version\":99}\n{}\n"))
	f.Add([]byte("null\n[]\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range parseEvents(data) {
			if e.Version > record.Version {
				t.Fatalf("%+v", e)
			}
		}
	})
}
