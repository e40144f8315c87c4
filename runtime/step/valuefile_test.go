package step

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

func TestFileValue(t *testing.T) {
	for _, c := range []struct{ file, content, typ, key, want string }{
		{"m.json", `{"auc": 0.910, "loss": 1}`, "object({ auc = number })", "", `{"auc":0.910}`},
		{"m.json", `{"auc": 0.910, "loss": 1}`, "number", "auc", `0.910`},
		{"m.json", `{"test": {"auc": 1}, "a.b": 2}`, "number", "test.auc", `1`},
		{"m.json", `{"test": {"auc": 1}, "a.b": 2}`, "number", "a.b", `2`},
		{"m.json", `[{"n": 1, "x": 2}]`, "list(object({ n = number }))", "", `[{"n":1}]`},
		{"m.json", `"text"`, "string", "", `"text"`},
		{"m.json", `{"a": 1}`, "string", "", `expected string, found object: {"a": 1}`},
		{"m.json", `{"a": 1}`, "number", "auc", `missing: it has no key "auc"; its keys: a`},
		{"m.json", `[1]`, "number", "auc", `missing: it has no key "auc", because it contains a list`},
		{"m.json", `{"auc": "high"}`, "number", "auc", `expected number, found string: "high"`},
		{"m.json", `{'auc': 1}`, "number", "auc", `the file contains "{'auc': 1}": it is not JSON: '`},
		{"m.json", `{"auc": NaN}`, "number", "auc", `JSON has no NaN`},
		{"m.json", `{"token": "hunter22", }`, "number", "auc", `***`},
		{"m.json", ``, "any", "", `empty`},
		{"m.txt", "plain\n", "string", "", `"plain"`},
		{"m.txt", "3\n", "number", "", `3`},
		{"m.yaml", "auc: 0.910\nname: 'yes'\nlabels: [a, 1, true, ~]\n", "any", "", `{"auc":0.910,"labels":["a",1,true,null],"name":"yes"}`},
		{"m.yml", "test:\n  auc: .5\n  n: 0x1F\n  big: +07\n", "map(number)", "test", `{"auc":0.5,"big":7,"n":31}`},
		{"m.yaml", "a: &x [1]\nb: *x\n", "map(list(number))", "", `{"a":[1],"b":[1]}`},
		{"m.yaml", "a: !!python/object:x {}\n", "any", "", `{"a":{}}`},
		{"m.yaml", "a: .nan\n", "any", "", "the file is not valid YAML: line 1: a value can't be .nan"},
		{"m.yaml", "a: 1\na: 2\n", "any", "", "duplicate key"},
		{"m.yaml", "a: [1\n", "any", "", "the file is not valid YAML"},
		{"m.yaml", "1\n---\n2\n", "any", "", "it has more than one document"},
		{"m.yaml", "", "any", "", "the file is empty"},
		{"m.yaml", "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n", "any", "", "too many"},
		{"m.csv", "name,auc\na,0.90\nb,1\n", "list(object({ name = string, auc = number }))", "", `[{"auc":0.90,"name":"a"},{"auc":1,"name":"b"}]`},
		{"m.csv", "name,auc\na,0.90\n", "object({ auc = number })", "", `{"auc":0.90}`},
		{"m.csv", "\ufeffauc\n.5\n", "number", "auc", `0.5`},
		{"m.csv", "auc\n1\n2\n", "list(number)", "auc", `[1,2]`},
		{"m.csv", "ok\nTrue\nfalse\n", "list(bool)", "ok", `[true,false]`},
		{"m.csv", "a,b\n1,x\n", "any", "", `[{"a":"1","b":"x"}]`},
		{"m.csv", "auc\n1\n2\n", "number", "auc", "it has 2 rows, and one is expected"},
		{"m.csv", "auc\nhigh\n", "number", "auc", "expected number, found string"},
		{"m.csv", "auc\n1\n", "number", "loss", `missing: it has no column "loss"; its columns: auc`},
		{"m.csv", "a,b\n1\n", "list(map(string))", "", "the file is not valid CSV"},
		{"m.csv", "", "any", "", "the file is empty"},
	} {
		path := filepath.Join(t.TempDir(), c.file)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		typ, err := types.ParseString(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		out := &program.Output{Name: "x", Type: c.typ, File: c.file, Key: c.key}
		value, missing, why := readFile(path, info, out, typ, mask.New(map[string]string{"TOKEN": "hunter22"}))
		got := string(value)
		if why != "" {
			got = why
		}
		if missing {
			got = "missing: " + why
		}
		if why == "" && got != c.want || why != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s %q as %s %s:\ngot  %s\nwant %s", c.file, c.content, c.typ, c.key, got, c.want)
		}
		if strings.Contains(got, "hunter22") {
			t.Errorf("a secret is shown: %s", got)
		}
	}
}

// TestFileValueNull checks that a null of an optional output means that the output is missing, whatever its type is.
func TestFileValueNull(t *testing.T) {
	for _, c := range []struct {
		file, content, key string
		optional, missing  bool
		want               string
	}{
		{"m.json", `{"auc": null}`, "auc", true, true, ""},
		{"m.json", ` null `, "", true, true, ""},
		{"m.yaml", `auc: ~`, "auc", true, true, ""},
		{"m.json", `{"auc": null}`, "auc", false, false, "the value is null"},
	} {
		path := filepath.Join(t.TempDir(), c.file)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		out := &program.Output{Name: "x", Type: "number", File: c.file, Key: c.key, Optional: c.optional}
		value, missing, why := readFile(path, info, out, cty.Number, mask.New(nil))
		if value != nil || missing != c.missing || !strings.HasPrefix(why, c.want) || c.want == "" && why != "" {
			t.Errorf("%s %q, optional %t: got %s, missing %t, %q", c.file, c.content, c.optional, value, missing, why)
		}
	}
}
