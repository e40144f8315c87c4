package local_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/schema/program"
)

func TestRefusals(t *testing.T) {
	secret := sh("a", `test "$TOKEN" = s3cret-value && echo "token $TOKEN"`, func(s *program.Step) {
		s.SecretEnv = []program.Secret{{Name: "TOKEN", Secret: "hub-login", Key: "api.token"}, {Name: "OTHER", Secret: "x", Key: "y"}}
	})
	p := newProject(t, secret)
	p.o.Program.Params = []program.Param{{Name: "n", Type: "number"}, {Name: "d", Type: "string", Default: json.RawMessage(`"x"`)}}
	try := func(code, want string) {
		t.Helper()
		_, err := local.Run(t.Context(), p.o)
		if !refused(err, code) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s: %s", err, code, want)
		}
	}
	try(drive.RefusedParam, "no value is given for n")
	p.o.Params = map[string]json.RawMessage{"n": json.RawMessage(`"1"`)}
	try(drive.RefusedParam, `the value of param "n" does not have the type number`)
	p.o.Params = map[string]json.RawMessage{"n": json.RawMessage(`1`), "z": json.RawMessage(`1`)}
	try(drive.RefusedParam, "has no param z")
	delete(p.o.Params, "z")
	p.o.Only = []string{"zz"}
	try(drive.RefusedStep, `"zz"`)
	p.o.Only = nil
	try(drive.RefusedSecret, "PIPEC_SECRET_HUB_LOGIN_API_TOKEN")
	try(drive.RefusedSecret, "PIPEC_SECRET_X_Y")
	if entries, _ := os.ReadDir(filepath.Join(p.dir, ".pipec", "work")); len(entries) != 0 {
		t.Errorf("left by refusals: %v", entries)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "secrets"), []byte("# mine\nPIPEC_SECRET_X_Y='q'\nexport PIPEC_SECRET_HUB_LOGIN_API_TOKEN=wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.o.Stack.SecretsFile = "secrets"
	p.o.Environ = append(p.o.Environ, "PIPEC_SECRET_HUB_LOGIN_API_TOKEN=s3cret-value")
	p.want(p.run(t.Context()), "succeeded: a=succeeded")
	for _, e := range p.events {
		if strings.Contains(e.Text, "s3cret") {
			t.Errorf("a secret is shown: %s", e.Text)
		}
	}
	p.o.Program.Codes = []program.Code{{Name: "c", Dir: "nowhere"}}
	try(drive.RefusedCode, "nowhere")
	p.o.Stack.Orchestrator.Kind = "kubernetes"
	try(drive.RefusedStack, "doesn't run steps on this machine")
}
