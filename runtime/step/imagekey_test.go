package step

import (
	"encoding/json"
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func TestImageKey(t *testing.T) {
	text := func(s string) program.Value { return program.Value{Const: json.RawMessage(`"` + s + `"`)} }
	base := func() *Spec {
		return &Spec{
			Version: SpecVersion, Run: "r", Step: "s", Root: "/pipec", Code: "sha256:c",
			Program: program.Step{
				Name: "s", Command: []program.Value{text("./train"), {Ref: "input.x"}}, Cache: &program.Cache{},
				Inputs: []program.Input{{Name: "x", Type: "string"}}, Outputs: []program.Output{{Name: "o", Type: "number"}},
			},
			Inputs: []record.Datum{{Name: "x", Type: "string", Value: json.RawMessage(`"1"`)}},
		}
	}
	const image = "sha256:i"
	key := ImageKey(base(), image)
	if key.Digest == "" {
		t.Fatal(key.Why)
	}
	for name, same := range map[string]func(*Spec){
		"another run":     func(s *Spec) { s.Run, s.AttemptDir = "other", "attempts/other" },
		"another place":   func(s *Spec) { s.Root = "/elsewhere" },
		"another attempt": func(s *Spec) { s.Attempt, s.UserAttempt = 7, 3 },
	} {
		s := base()
		same(s)
		if ImageKey(s, image).Digest != key.Digest {
			t.Errorf("%s: another key", name)
		}
	}
	seen := map[string]string{key.Digest: "base", ImageKey(base(), "sha256:j").Digest: "another image"}
	if len(seen) != 2 {
		t.Error("another image: the same key")
	}
	for name, other := range map[string]func(*Spec){
		"input":   func(s *Spec) { s.Inputs[0].Value = json.RawMessage(`"2"`) },
		"command": func(s *Spec) { s.Program.Command[0] = text("./test") },
		"python":  func(s *Spec) { s.Program.Command, s.Program.Python = nil, "m:f" },
		"env":     func(s *Spec) { s.Program.Env = []program.Env{{Name: "A", Value: text("b")}} },
		"secret":  func(s *Spec) { s.Program.SecretEnv = []program.Secret{{Name: "A", Secret: "s", Key: "k"}} },
		"code":    func(s *Spec) { s.Code = "sha256:d" },
		"salt":    func(s *Spec) { s.Program.Cache.Salt = "2" },
		"pod":     func(s *Spec) { s.Program.PodPatch = json.RawMessage(`{"containers":[{"name":"main","args":["x"]}]}`) },
		"output":  func(s *Spec) { s.Program.Outputs[0].Type = "string" },
	} {
		s := base()
		other(s)
		k := ImageKey(s, image)
		if was, twice := seen[k.Digest]; twice || k.Digest == "" {
			t.Errorf("%s: the key of %q (%s)", name, was, k.Why)
		}
		seen[k.Digest] = name
	}
	for name, none := range map[string]func(*Spec){
		"no outputs": func(s *Spec) { s.Program.Outputs = nil },
		"a claim": func(s *Spec) {
			s.Program.PodPatch = json.RawMessage(`{"volumes":[{"persistentVolumeClaim":{"claimName":"c"}}]}`)
		},
		"no such input": func(s *Spec) { s.Inputs = nil },
	} {
		s := base()
		none(s)
		if k := ImageKey(s, image); k.Digest != "" || k.Why == "" {
			t.Errorf("%s: has the key %+v", name, k)
		}
	}
	if k := ImageKey(base(), ""); k.Digest != "" || k.Why == "" {
		t.Errorf("an image without a digest: %+v", k)
	}
	s := base()
	s.Program.PodPatch = json.RawMessage(`{"volumes":[{"persistentVolumeClaim":{"claimName":"c","readOnly":true}}]}`)
	if k := ImageKey(s, image); k.Digest == "" {
		t.Errorf("a claim that is only read: %s", k.Why)
	}
}
