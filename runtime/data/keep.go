package data

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// version is the version of kept descriptions. It changes whenever a new pipec would compute another description.
const version = 1

// patience is how long the store may take for a kept description. A store that denies access to it is not retried for longer.
const patience = 10 * time.Second

// kept is a description in the store.
type kept struct {
	Version int `json:"version"`
	// Of is the format of the artifact with its description, on which the types of columns depend.
	Of          string          `json:"of"`
	Digest      string          `json:"digest"` // of Description
	Description json.RawMessage `json:"description"`
}

// load returns a description that was kept, or nil. One that is damaged, or of another version, is as good as none.
func load(ctx context.Context, s store.Store, namespace string, d *record.Datum) *Description {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	data, err := store.ReadAll(ctx, s, key(namespace, d))
	if err != nil {
		return nil
	}
	var k kept
	if json.Unmarshal(data, &k) != nil || k.Version != version || k.Of != d.Artifact.Format || k.Digest != program.Digest(k.Description) {
		return nil
	}
	out := &Description{}
	if json.Unmarshal(k.Description, out) != nil {
		return nil
	}
	return out
}

// save keeps a description, if the user may write to the store.
func save(ctx context.Context, s store.Store, namespace string, d *record.Datum, out *Description) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	text, err := json.Marshal(out)
	if err != nil {
		return
	}
	data, err := json.Marshal(kept{Version: version, Of: d.Artifact.Format, Digest: program.Digest(text), Description: text})
	if err != nil {
		return
	}
	_ = s.Put(ctx, key(namespace, d), bytes.NewReader(data), store.Replace)
}

func key(namespace string, d *record.Datum) string {
	return record.DescriptionKey(namespace, d.Type, d.Artifact.Digest)
}
