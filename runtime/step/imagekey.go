package step

import (
	"encoding/json"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
)

// imageForm is what is digested of a step that runs in a container: its image stands for the executable, the interpreter
// and all that is installed there.
type imageForm struct {
	keyForm
	Image string `json:"image"`
	// Pod is what the step's own `pod` says: it may change the command, add containers and mount what they read.
	Pod json.RawMessage `json:"pod,omitempty"`
}

// ImageKey is Keyer.Key for a step that runs in a container of the image with this digest, as the program's ImageDigest
// has it. Nothing is read for it: what has no digest is not cached.
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
		return Key{Why: f.message} // the attempt will say the same, as its failure
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
	return Key{Digest: program.Digest(data)}
}

// writesClaim says whether a patch brings a claim into the pod that isn't read-only.
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
