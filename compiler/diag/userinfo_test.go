package diag

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

func TestMaskUserinfo(t *testing.T) {
	for text, want := range map[string]string{
		`"https://user:pass@host/simple"`:              `"https://****:****@host/simple"`,
		`"https://token@host"`:                         `"https://*****@host"`,
		`"https://u:p@ss@host"`:                        `"https://*:****@host"`,
		`"https://u:pa/ss@host"`:                       `"https://*:*****@host"`,
		`"https://u:my pass@host"`:                     `"https://*:*******@host"`,
		`"https://u:a\"b@host"`:                        `"https://*:****@host"`,
		`'postgresql+psycopg2://u:p@h/db'`:             `'postgresql+psycopg2://*:*@h/db'`,
		`"//u:p@host/simple"`:                          `"//*:*@host/simple"`,
		`["https://u:p@a", "https://v:q@b"]`:           `["https://*:*@a", "https://*:*@b"]`,
		`a: https://u:p@a` + "\n" + `b: https://v:q@b`: `a: https://*:*@a` + "\n" + `b: https://*:*@b`,
		"http://ü:ö@host":                              "http://**:**@host",
		// These have no password.
		`"https://host:8080/x@v1"`:         `"https://host:8080/x@v1"`,
		`"git+https://host/me/x@v1"`:       `"git+https://host/me/x@v1"`,
		`// ask me@example.org: she knows`: `// ask me@example.org: she knows`,
		`a = "https://host" // me@x`:       `a = "https://host" // me@x`,
		`https://`:                         `https://`,
		`//`:                               `//`,
		`https://@`:                        `https://@`,
	} {
		given := []byte(text)
		if got := string(maskUserinfo(given)); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
		if string(given) != text {
			t.Errorf("%s was modified", text)
		}
	}
}

// TestUserinfoInFormats: no format shows the password of an address, neither of the line with the fault nor of a neighboring line.
func TestUserinfoInFormats(t *testing.T) {
	sources := map[string][]byte{"a.hcl": []byte("a = \"https://u:geheim1@a\"\nb = \"https://u:geheim2@b\"\nc = \"https://u:geheim3@c\"\n")}
	at := hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 2, Column: 5, Byte: 30}, End: hcl.Pos{Line: 2, Column: 26, Byte: 51}}
	d := New("invalid-value", at, "%q is not valid", "https://u:geheim2@b").WithDetail("See https://u:geheim4@d.").
		WithSuggestion("remove https://u:geheim5@e").WithRelated(at, "here is https://u:geheim6@f")
	v := NewView([]Diagnostic{d}, sources)
	for name, write := range Formats {
		var b bytes.Buffer
		if err := write(&b, v, Options{}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "geheim") || !strings.Contains(b.String(), "@b") {
			t.Errorf("%s: %s", name, b.String())
		}
	}
}
