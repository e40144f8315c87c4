package step

import (
	"encoding/json"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
)

// imageForm is the data that is digested for a step in a container: the image's digest covers the executable, the
// interpreter and all installed packages.
type imageForm struct {
	keyForm
	Image string `json:"image"`
	// Pod is the step's own `pod`: it can change the command, add containers and mount data.
	Pod json.RawMessage `json:"pod,omitempty"`
}

// ImageKey is like Keyer.Key, for a step that runs in a container of the image with this digest (ImageDigest of the
// program). It reads no files: a step that depends on something without a digest is not cached.
func ImageKey(spec *Spec, image string) Key {
	s := *spec
	s.Root = placeholder
	switch {
	case len(s.Program.Outputs) == 0:
		return Key{Why: "it has no outputs"}
	case image == "":
		return Key{Why: "its image has no digest"}
	case writesClaim(s.Program.PodPatch):
		return Key{Why: "it can write to a volume claim, whose content has no digest"}
	}
	form, f := s.keyForm()
	if f != nil {
		return Key{Why: f.message} // the attempt will fail with the same message
	}
	if s.Program.Python != "" {
		form.Python, form.Runner = s.Program.Python, RunnerDigest()
	} else {
		argv, f := s.command()
		if f != nil {
			return Key{Why: f.message}
		}
		form.Command = argv
	}
	data, err := store.EncodeJSON(&imageForm{keyForm: *form, Image: image, Pod: s.Program.PodPatch})
	if err != nil {
		return Key{Why: err.Error()}
	}
	parts := form.parts()
	parts["image"] = partDigest(image)
	if len(s.Program.PodPatch) > 0 {
		parts["pod"] = partDigest(s.Program.PodPatch)
	}
	return Key{Digest: program.Digest(data), Parts: parts}
}

// writesClaim reports whether a patch adds a volume claim to the pod that is not read-only.
func writesClaim(patch json.RawMessage) bool {
	var p struct {
		Volumes []struct {
			Claim *struct {
				ReadOnly bool `json:"readOnly"`
			} `json:"persistentVolumeClaim"`
		} `json:"volumes"`
	}
	if len(patch) == 0 {
		return false
	}
	if json.Unmarshal(patch, &p) != nil {
		return true
	}
	for i := range p.Volumes {
		if c := p.Volumes[i].Claim; c != nil && !c.ReadOnly {
			return true
		}
	}
	return false
}
