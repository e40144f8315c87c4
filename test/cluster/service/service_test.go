package service

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/test/cluster/place"
)

func TestFiles(t *testing.T) {
	for _, s := range All("/bin") {
		for path, text := range s.Files {
			if !strings.HasPrefix(path, place.State+"/") || text == "" || strings.Contains(text, "{{") {
				t.Errorf("%s: %s: %q", s.Name, path, text)
			}
			if strings.HasSuffix(path, ".conflist") && !json.Valid([]byte(text)) {
				t.Errorf("%s is no JSON: %s", path, text)
			}
		}
	}
}

func TestAll(t *testing.T) {
	stage, names := 0, map[string]bool{}
	for _, s := range All("/bin") {
		if s.Stage < stage || s.Stage > Stages {
			t.Errorf("%s is of stage %d, after one of %d", s.Name, s.Stage, stage)
		}
		if stage = s.Stage; names[s.Name] || s.Ready == nil || s.Patience == 0 {
			t.Errorf("%s: named twice, or nobody can tell when it is ready", s.Name)
		}
		names[s.Name] = true
	}
}

func TestDigest(t *testing.T) {
	was := Digest(All("/bin"))
	if again := Digest(All("/bin")); again != was {
		t.Errorf("the same have two digests: %s, %s", was, again)
	}
	other := map[string][]Service{"the binaries": All("/bin2"), "a flag": All("/bin"), "a file": All("/bin")}
	flag := &other["a flag"][0]
	flag.Argv = append(slices.Clone(flag.Argv), "-v")
	for path := range other["a file"][1].Files {
		other["a file"][1].Files[path] += "#"
		break
	}
	for what, services := range other {
		if Digest(services) == was {
			t.Errorf("%s does not count", what)
		}
	}
}
