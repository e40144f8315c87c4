package record

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The objects of a run, by their keys in the store. Keys are relative and separated by slashes.

// Dir returns the directory of a run's records. Only the coordinator of the run writes there.
func Dir(namespace, pipeline, run string) string {
	return "runs/" + namespace + "/" + pipeline + "/" + run
}

// Dir returns the directory of the run's records.
func (r *Run) Dir() string { return Dir(r.Namespace, r.Pipeline, r.Name) }

// RunKey returns the key of the run's record.
func (r *Run) RunKey() string { return r.Dir() + "/run.json" }

// EndKey returns the key of the record of the run's end.
func (r *Run) EndKey() string { return Dir(r.Namespace, r.Pipeline, r.Name) + "/end.json" }

// LogKey returns the key of a segment of the run's log: NDJSON of Event.
func (r *Run) LogKey(seq int64) string {
	return fmt.Sprintf("%s/log/%012d", Dir(r.Namespace, r.Pipeline, r.Name), seq)
}

// AttemptDir returns the directory that an attempt of a step writes to.
func (r *Run) AttemptDir(step string, attempt int) string {
	return fmt.Sprintf("attempts/%s/%s/%s/%s/%d", r.Namespace, r.Pipeline, r.Name, Address(step).SafeName(), attempt)
}

// IndexDir returns the prefix of the keys of a namespace's list of runs, with a folder for each pipeline. Namespaces have
// separate lists, so that a namespace sees only its own runs and can't add any to the list of another one.
func IndexDir(namespace string) string { return "index/" + namespace + "/" }

// IndexKey returns a key that sorts the newest run first.
func (r *Run) IndexKey() string {
	return fmt.Sprintf("%s%s/%019d-%s", IndexDir(r.Namespace), r.Pipeline, math.MaxInt64-r.CreatedAt.UnixNano(), r.Name)
}

// IndexEntry reads the names of a run and the time of its creation from an IndexKey. The other fields of the run are
// not set.
func IndexEntry(key string) (*Run, bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 || parts[0] != "index" || len(parts[3]) < 21 {
		return nil, false
	}
	var inverted int64
	if _, err := fmt.Sscanf(parts[3][:19], "%d", &inverted); err != nil {
		return nil, false
	}
	return &Run{Namespace: parts[1], Pipeline: parts[2], Name: parts[3][20:], CreatedAt: time.Unix(0, math.MaxInt64-inverted).UTC()}, true
}

// ProgramKey returns the key of a program with a digest ("sha256:…").
func ProgramKey(digest string) string { return "programs/" + strings.Replace(digest, ":", "/", 1) }

// BlobKey returns the key of content with a digest ("sha256:…").
func BlobKey(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }

// CacheKey returns the key of a cached result. The digest covers everything that went into the result. Namespaces have separate
// caches, so that a namespace can't plant results in another one.
func CacheKey(namespace, digest string) string {
	return "cache/" + namespace + "/" + strings.Replace(digest, ":", "/", 1)
}

// DescriptionKey returns the key of the description of an artifact of a type, such as the statistics of its columns. Namespaces have
// separate descriptions, because nothing in them proves that they are right.
func DescriptionKey(namespace, typ, digest string) string {
	return "stats/" + namespace + "/" + typ + "/" + strings.Replace(digest, ":", "/", 1)
}

// CacheEntry is the object with a CacheKey.
type CacheEntry struct {
	Version int       `json:"version"`
	Run     string    `json:"run"`
	At      time.Time `json:"at"`
	Result  Result    `json:"result"`
}
