//go:build linux

package step_test

import (
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

// Types of Python and its libraries that correspond to JSON's types. A case without `says` succeeds with `want`.
func TestPythonValues(t *testing.T) {
	for _, c := range []struct {
		name, typ, body string
		want            string
		says            []string
		scientific      bool
	}{
		{name: "Decimal", typ: "list(number)", body: `
    from decimal import Decimal
    return [Decimal("0.1"), Decimal("2.00"), Decimal(2**80)]`, want: `[0.1,2,1208925819614629174706176]`},
		{name: "Fraction", typ: "number", body: `
    from fractions import Fraction
    return Fraction(1, 4)`, want: `0.25`},
		{name: "Decimal of many digits", typ: "number", body: `
    from decimal import Decimal
    return Decimal("0.1234567890123456789012")`, says: []string{"more digits than a float holds", "float(…)"}},
		{name: "Decimal too large for a float", typ: "number", body: `
    from decimal import Decimal
    return Decimal("1.5E+400")`, says: []string{"no float can hold"}},
		{name: "Fraction that no float equals", typ: "number", body: `
    from fractions import Fraction
    return Fraction(1, 3)`, says: []string{"more digits than a float holds"}},
		{name: "a number for text", typ: "string", body: `return 5`, says: []string{"output 'a' is declared string", "expected text (str)", "returned an int", "return str(…)", "declare the type number"}},
		{name: "None for text", typ: "string", body: `return None`, says: []string{"expected text (str)", "returned None", "optional = true"}},
		{name: "a bool for text", typ: "string", body: `return True`, says: []string{"expected text (str)", "a bool"}},
		{name: "a list for text", typ: "string", body: `return ["x"]`, says: []string{"expected text (str)", "a list"}},
		{name: "a bool for a number", typ: "number", body: `return True`, says: []string{"expected a number", "returned a bool", "return int(…)"}},
		{name: "text for a number", typ: "number", body: `return "5"`, says: []string{"expected a number", "returned a str", "float(…)"}},
		{name: "a number for a bool", typ: "bool", body: `return 1`, says: []string{"expected a bool", "returned an int", "bool(…)"}},
		{name: "a number inside", typ: "object({n = list(string)})", body: `return {"n": ["x", 5]}`, says: []string{"expected text (str) at ['n'][1]", "an int"}},
		{name: "None inside", typ: "list(number)", body: `return [1, None]`, says: []string{"at [1]", "None"}},
		{name: "None in an optional attribute", typ: "object({n = optional(number)})", body: `return {"n": None}`, want: `{"n":null}`},
		{name: "a dict for a list", typ: "list(number)", body: `return {}`, says: []string{"expected a list", "a dict"}},
		{name: "text that looks like a number", typ: "string", body: `return "5"`, want: `"5"`},
		{name: "a model of pydantic", typ: "any", body: `
    class Model:
        def model_dump(self): return {}
    return Model()`, says: []string{"model_dump()"}},
		{name: "Decimal NaN", typ: "number", body: `
    from decimal import Decimal
    return Decimal("NaN")`, says: []string{"contains nan"}},
		{name: "times", typ: "list(string)", body: `
    import datetime as d
    return [d.date(2024, 1, 2), d.datetime(2024, 1, 2, 3, tzinfo=d.timezone.utc)]`, want: `["2024-01-02","2024-01-02T03:00:00+00:00"]`},
		{name: "timedelta", typ: "any", body: `
    import datetime as d
    return d.timedelta(1)`, says: []string{"a datetime.timedelta"}},
		{name: "enums", typ: "list(any)", body: `
    import enum
    class E(enum.Enum):
        A = "a"
    class I(enum.IntEnum):
        B = 2
    class S(str, enum.Enum):
        C = "c"
    return [E.A, I.B, S.C]`, want: `["a",2,"c"]`},
		{name: "dataclass", typ: "object({loss = number, tags = list(string)})", body: `
    import dataclasses
    @dataclasses.dataclass
    class Metrics:
        loss: float
        tags: list
    return Metrics(0.5, ["x"])`, want: `{"loss":0.5,"tags":["x"]}`},
		{name: "path", typ: "string", body: `
    import pathlib
    return pathlib.Path("/x")`, says: []string{"PosixPath", "declare the output file"}},
		{name: "bytes", typ: "string", body: `return b"x"`, says: []string{"a bytes", "decode it"}},
		{name: "bytes for text", typ: "text", body: `return b"x"`, says: []string{"declared text", "a bytes"}},
		{name: "map", typ: "list(number)", body: `return map(int, "12")`, says: []string{"a map", "convert it to a list"}},
		{name: "generator", typ: "list(number)", body: `yield 1`, says: []string{"is a generator", "it has not run"}},
		{name: "integer keys", typ: "map(number)", body: `return {1: 2}`, says: []string{"key of type int", "str(…)"}},
		{name: "bool keys", typ: "any", body: `return {"a": [{True: 2}]}`, says: []string{"key of type bool at ['a'][0]"}},
		{name: "None as a key", typ: "any", body: `return {None: 2}`, says: []string{"key of type NoneType"}},
		{name: "float keys", typ: "map(number)", body: `return {1.5: 2}`, says: []string{"key of type float"}},
		{name: "tuple keys", typ: "any", body: `return {"a": {(1, 2): 2}}`, says: []string{"key of type tuple at ['a']"}},
		{name: "key twice", typ: "any", body: `
    import enum
    class E(enum.Enum):
        A = "a"
    return {E.A: 2, "a": 3}`, says: []string{"key 'a' twice"}},
		{name: "large int", typ: "number", body: `return 10 ** 100`, want: "1" + strings.Repeat("0", 100)},
		{name: "larger int", typ: "number", body: `return 10 ** 5000`, says: []string{"integer of 16610 bits"}},
		{name: "large float", typ: "number", body: `return 1e300`, want: "1e+300"},
		{name: "infinite", typ: "list(number)", body: `return [1, 1e308 * 10]`, says: []string{"contains inf at [1]"}},
		{name: "unicode", typ: "string", body: `return "日本 \U0001F600\x00"`, want: "\"日本 \U0001F600\\u0000\""},
		{name: "surrogate", typ: "string", body: `return "a\udc80"`, says: []string{`'\udc80'`, "surrogate"}},
		{name: "surrogate in text", typ: "text", body: `return "a\udc80"`, says: []string{"output 'a' of type text", "surrogate"}},
		{name: "deep", typ: "any", body: `
    x = []
    for _ in range(100000):
        x = [x]
    return x`, says: []string{"nested too deep"}},
		{name: "its own text fails", typ: "any", body: `
    class Odd:
        def __repr__(self): raise ValueError("no")
    return Odd()`, says: []string{"a steps.Odd"}},

		{name: "numpy scalars", typ: "object({b = bool, f = number, i = number, s = string})", scientific: true, body: `
    import numpy as np
    return {"i": np.int64(3), "f": np.float32(0.5), "b": np.bool_(True), "s": np.str_("x")}`, want: `{"b":true,"f":0.5,"i":3,"s":"x"}`},
		{name: "numpy longdouble", typ: "number", scientific: true, body: `
    import numpy as np
    return np.longdouble(0.5)`, want: `0.5`},
		{name: "numpy array of one", typ: "number", scientific: true, body: `
    import numpy as np
    return np.array(7)`, want: `7`},
		{name: "numpy keys", typ: "map(number)", scientific: true, body: `
    import numpy as np
    return {np.int64(1): 2}`, says: []string{"key of type numpy.int64"}},
		{name: "numpy NaN inside", typ: "list(number)", scientific: true, body: `
    import numpy as np
    return np.array([1, np.nan])`, says: []string{"contains nan at [1]"}},
		{name: "numpy times", typ: "list(string)", scientific: true, body: `
    import numpy as np
    return np.array(["2024-01-02"], dtype="datetime64[ns]")`, want: `["2024-01-02T00:00:00.000000000"]`},
		{name: "NaT", typ: "any", scientific: true, body: `
    import pandas as pd
    return [pd.NaT]`, says: []string{"NaT at [0]"}},
		{name: "pandas Series", typ: "list(number)", scientific: true, body: `
    import pandas as pd
    return pd.Series([1.5, 2])`, want: `[1.5,2.0]`},
		{name: "pandas frame", typ: "any", scientific: true, body: `
    import pandas as pd
    return pd.DataFrame({"a": [1]})`, says: []string{"DataFrame", "to_dict"}},
		{name: "complex", typ: "number", body: `return 1j`, says: []string{"a complex"}},
		{name: "bytes for ndarray", typ: "ndarray", scientific: true, body: `return b"x"`, says: []string{"declared ndarray", "a bytes"}},
		{name: "a column that csv can't store", typ: "dataframe", scientific: true, body: `
    import pandas as pd, sys
    sys.modules["pyarrow"] = None
    return pd.DataFrame({"n": [1], "tags": [["a"]]})`, says: []string{"output 'a'", "column 'tags' contains list values", "install pyarrow"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := python(t, "steps:f", "def f():\n    "+c.body+"\n")
			if c.scientific {
				x.scientific()
			}
			x.outputs("a", c.typ)
			if c.says == nil {
				if got := string(x.succeeds().Outputs[0].Value); got != c.want {
					t.Errorf("%s", got)
				}
				return
			}
			reason := record.ReasonOutputInvalid
			if c.name == "generator" {
				reason = record.ReasonError
			}
			r := x.fails(record.ClassUser, reason, c.says...)
			if log := x.log(r); strings.Contains(log, "Traceback") || strings.Contains(log, "runner") {
				t.Errorf("the log shows the runner:\n%s", log)
			}
		})
	}
}

// Several outputs are matched by the names in a result, in any order.
func TestPythonNamedResults(t *testing.T) {
	const source = `
import collections, dataclasses
Pair = collections.namedtuple("Pair", "the_name z")
@dataclasses.dataclass
class Both:
    the_name: int
    z: int
def a(): return Pair(1, 26)
def b(): return Both(1, 26)
def c(): return {"the-name": 1, "z": 26}
def d(): return {"the_name": 1, "z": 26}
def e(): return collections.namedtuple("Other", "x y")(26, 1)
def wrong(): return collections.namedtuple("Other", "x y z")(26, 1, 2)
@dataclasses.dataclass
class Less:
    z: int
def less(): return Less(26)
`
	step := func(function string) *trial {
		x := python(t, "steps:"+function, source).outputs("the-name", "number", "z", "number")
		x.spec.Program.OutputOrder = []string{"z", "the-name"}
		return x
	}
	for _, f := range []string{"a", "b", "c", "d", "e"} {
		r := step(f).succeeds()
		if string(r.Outputs[0].Value) != "1" || string(r.Outputs[1].Value) != "26" {
			t.Errorf("%s: %+v", f, r.Outputs)
		}
	}
	step("wrong").fails(record.ClassUser, record.ReasonOutputInvalid, "a steps.Other of 3")
	step("less").fails(record.ClassUser, record.ReasonOutputInvalid, "fields", "missing: 'the-name'")
}

// Properties of a frame that csv can't express are restored.
func TestPythonFrames(t *testing.T) {
	const source = `
import numpy as np, pandas as pd, sys
sys.modules["pyarrow"] = None
def frames():
    codes = pd.DataFrame({"n": [1, 2]}, index=["001", "002"])
    words = pd.DataFrame({"w": ["NA", "null", "x"], "v": [1.5, np.nan, np.inf]})
    dated = pd.DataFrame({"v": [1, 2]}, index=pd.to_datetime(["2024-01-01", "2024-01-02"]))
    dated.index.name = "day"
    both = codes.assign(k=["7", "8"]).set_index("k", append=True)
    both.columns = pd.MultiIndex.from_tuples([("n", "sum")])
    return codes, words, dated, both
def check(codes, words, dated, both):
    for got, want in zip((codes, words, dated, both), frames()):
        pd.testing.assert_frame_equal(got, want)
`
	x := python(t, "steps:frames", source).scientific()
	x.outputs("both", "dataframe", "codes", "dataframe", "dated", "dataframe", "words", "dataframe")
	x.spec.Program.OutputOrder = []string{"codes", "words", "dated", "both"}
	r := x.succeeds()
	y := python(t, "steps:check", source).scientific()
	y.deps.Store, y.store = x.store, x.store
	y.spec.Code, y.spec.AttemptDir, y.spec.Inputs = x.spec.Code, x.spec.AttemptDir+"/next", r.Outputs
	y.succeeds()
}
