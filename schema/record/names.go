package record

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The objects of a run, by their keys in the store: slash-separated, relative.

// Dir is where the records of a run are; they are written by whoever coordinates it.
func Dir(namespace, pipeline, run string) string {
	return "runs/" + namespace + "/" + pipeline + "/" + run
}

// RunKey is the record of the run itself.
func (r *Run) RunKey() string { return Dir(r.Namespace, r.Pipeline, r.Name) + "/run.json" }

// EndKey is the record of its end.
func (r *Run) EndKey() string { return Dir(r.Namespace, r.Pipeline, r.Name) + "/end.json" }

// LogKey is a segment of its log of events: NDJSON of Event.
func (r *Run) LogKey(seq int64) string {
	return fmt.Sprintf("%s/log/%012d", Dir(r.Namespace, r.Pipeline, r.Name), seq)
}

// AttemptDir is where an attempt of a step writes; the steps' own prefix.
func (r *Run) AttemptDir(step string, attempt int) string {
	return fmt.Sprintf("attempts/%s/%s/%s/%s/%d", r.Namespace, r.Pipeline, r.Name, Address(step).SafeName(), attempt)
}

// IndexKey sorts the newest run first.
func (r *Run) IndexKey() string {
	return fmt.Sprintf("index/%s/%019d-%s", r.Pipeline, math.MaxInt64-r.CreatedAt.UnixNano(), r.Name)
}

// IndexEntry reads the run's name and the time of its creation back from an IndexKey.
func IndexEntry(key string) (pipeline, run string, created time.Time, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 3 || parts[0] != "index" || len(parts[2]) < 21 {
		return "", "", time.Time{}, false
	}
	var inverted int64
	if _, err := fmt.Sscanf(parts[2][:19], "%d", &inverted); err != nil {
		return "", "", time.Time{}, false
	}
	return parts[1], parts[2][20:], time.Unix(0, math.MaxInt64-inverted).UTC(), true
}

// ProgramKey is where a program is, by its digest ("sha256:…").
func ProgramKey(digest string) string { return "programs/" + strings.Replace(digest, ":", "/", 1) }

// BlobKey is where content is, by its digest ("sha256:…").
func BlobKey(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }

// CacheKey is where the result of a cached step is found, by the digest of all that went into it.
func CacheKey(digest string) string {
	return "cache/" + strings.Replace(digest, ":", "/", 1)
}

// CacheEntry is what stands there.
type CacheEntry struct {
	Version int       `json:"version"`
	Run     string    `json:"run"`
	At      time.Time `json:"at"`
	Result  Result    `json:"result"`
}
