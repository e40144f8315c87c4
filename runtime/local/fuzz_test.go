package local

import (
	"strings"
	"testing"
)

func FuzzParseSecrets(f *testing.F) {
	for _, s := range []string{"A=b\n", "export A='b'\n# c\n\n", "A\n", "=b", "A=\"", "A B=c", "\xff=\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, bad := parseSecrets(text)
		if (values == nil) != (bad > 0) || bad > strings.Count(text, "\n")+1 {
			t.Fatalf("%q: %v, line %d", text, values, bad)
		}
		for name := range values {
			if name == "" || strings.ContainsAny(name, "= \t\n") {
				t.Fatalf("%q gives the name %q", text, name)
			}
		}
	})
}

func TestParseSecrets(t *testing.T) {
	got, bad := parseSecrets("# c\n\nexport A = 'x y'\nB=\"q=1\"\nC=\nD='\n")
	if bad != 0 || got["A"] != "x y" || got["B"] != "q=1" || got["C"] != "" || got["D"] != "'" {
		t.Errorf("%q, %d", got, bad)
	}
	if _, bad := parseSecrets("A=1\nnonsense\n"); bad != 2 {
		t.Errorf("line %d", bad)
	}
	if got := SecretVariable("hub-login", "api.token"); got != "PIPEC_SECRET_HUB_LOGIN_API_TOKEN" {
		t.Error(got)
	}
}
