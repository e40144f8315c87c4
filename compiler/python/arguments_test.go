package python_test

import (
	"encoding/json"
	"testing"

	"pipec.dev/pipec/compiler/python"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`p.add_argument("--max-depth", "-d", type=int, default=3, help="how \"deep\"")`,
			`[{"Flags":["--max-depth","-d"],"Name":"max_depth","Type":"int","Default":3,"Action":"","NArgs":"","Required":false,"Choices":null,"Help":"how \"deep\"","Unclear":""}]`},
		{`p.add_argument('-v', '--verbose', action='store_true')`,
			`[{"Flags":["-v","--verbose"],"Name":"verbose","Type":"","Default":null,"Action":"store_true","NArgs":"","Required":false,"Choices":null,"Help":"","Unclear":""}]`},
		{"parser.add_argument(\n  'data', type=Path, nargs='+',\n  help='a'\n       ' b')",
			`[{"Flags":null,"Name":"data","Type":"Path","Default":null,"Action":"","NArgs":"+","Required":false,"Choices":null,"Help":"a b","Unclear":""}]`},
		{`p.add_argument("--rate", type=float, default=1e-3, dest="lr", required=True, choices=["a", 'b'])`,
			`[{"Flags":["--rate"],"Name":"lr","Type":"float","Default":0.001,"Action":"","NArgs":"","Required":true,"Choices":["a","b"],"Help":"","Unclear":""}]`},
		{`p.add_argument("--out", default=os.getcwd(), help=f"{x}")`,
			`[{"Flags":["--out"],"Name":"out","Type":"","Default":null,"Action":"","NArgs":"","Required":false,"Choices":null,"Help":"","Unclear":"default"}]`},
		{`p.add_argument("--xs", default=[1, -2.5, None, True], nargs=4)`,
			`[{"Flags":["--xs"],"Name":"xs","Type":"","Default":[1,-2.5,null,true],"Action":"","NArgs":"4","Required":false,"Choices":null,"Help":"","Unclear":""}]`},
		{"# p.add_argument('--no')\ns = 'add_argument(1)'\np.add_argument()\np.add_argument(*args)\n", "null"},
	} {
		got, err := python.Arguments([]byte(c.src))
		data, _ := json.Marshal(got)
		if want := normal(t, c.want); err != nil || string(normal(t, string(data))) != string(want) {
			t.Errorf("%s: %v\n%s, want\n%s", c.src, err, data, want)
		}
	}
	for _, src := range []string{"p.add_argument(", "'", "\xff"} {
		if _, err := python.Arguments([]byte(src)); err == nil {
			t.Errorf("%q is read", src)
		}
	}
}

// normal writes JSON in one form: numbers as they are computed with.
func normal(t *testing.T, text string) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func FuzzArguments(f *testing.F) {
	f.Add([]byte(`p.add_argument("--a", default=[1, "b"], help='''x''')`))
	f.Add([]byte(`p.add_argument(r"\x", u'', '', default=())`))
	f.Fuzz(func(_ *testing.T, src []byte) { _, _ = python.Arguments(src) })
}
