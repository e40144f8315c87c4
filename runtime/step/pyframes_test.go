//go:build linux

package step_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pipec.dev/pipec/schema/record"
)

// moreEnv sets how long each random test of the Python runner takes, such as 4m. The default is a fixed number of cases.
const moreEnv = "PIPEC_TEST_ROUNDTRIPS"

// roundTrips runs a random test in testdata, which passes values through the runner's files and compares them.
func roundTrips(t *testing.T, script, mode, cases string) {
	t.Helper()
	x := newTrial(t, "unused").scientific()
	runner, err := filepath.Abs("runner")
	if err != nil {
		t.Fatal(err)
	}
	seconds, seed := "0", "1"
	if long := os.Getenv(moreEnv); long != "" {
		d, err := time.ParseDuration(long)
		if err != nil {
			t.Fatalf("%s: %v", moreEnv, err)
		}
		seconds, seed = strconv.FormatFloat(d.Seconds(), 'f', 0, 64), strconv.FormatInt(time.Now().Unix(), 10)
	}
	cmd := exec.Command(x.spec.Python, filepath.Join("testdata", script), runner, mode, cases, seconds, seed)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// Random data frames come back as they were, or are refused: as csv, and as parquet if pyarrow is installed. A stand-in
// changes what pyarrow would change, for machines without pyarrow.
func TestFrameRoundTrips(t *testing.T) {
	cases := map[string]string{"csv": "1000", "standin": "500", "parquet": "1000"}
	modes := []string{"csv", "standin"}
	if exec.Command(newTrial(t, "unused").scientific().spec.Python, "-c", "import pyarrow").Run() == nil {
		modes = append(modes, "parquet")
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			roundTrips(t, "frames.py", mode, cases[mode])
		})
	}
}

// Random arrays and Python values come back as they were, with the same types, or are refused.
func TestValueRoundTrips(t *testing.T) { roundTrips(t, "arrays.py", "all", "4000") }

// passes runs two functions of a module: `make`, and `check` with the outputs of make as inputs.
func passes(t *testing.T, source string, outputs ...string) *trial {
	t.Helper()
	x := python(t, "steps:make", source).scientific().outputs(outputs...)
	r := x.succeeds()
	y := python(t, "steps:check", source).scientific()
	y.deps.Store, y.store = x.store, x.store
	y.spec.Code, y.spec.AttemptDir, y.spec.Inputs = x.spec.Code, x.spec.AttemptDir+"/next", r.Outputs
	y.succeeds()
	return x
}

// A frame with types that csv has no notation for comes back from a step without pyarrow.
func TestPythonFramesAsCSV(t *testing.T) {
	passes(t, `
import datetime, sys
import numpy as np, pandas as pd
sys.modules["pyarrow"] = None
def make():
    frame = pd.DataFrame({
        "note": ["first\rsecond", "", None], "quoted": ['say "hi"', "a,b", " x "], "looks": ["NA", "001", "True"],
        "account": pd.array([2**62 + 1, None, 7], dtype="Int64"), "day": [datetime.date(2026, 1, 2)] * 3,
        "size": pd.Categorical(["lo", "hi", "lo"], categories=["lo", "hi"], ordered=True),
        "half": np.array([0.1, np.nan, -0.0], dtype="float32"), "took": pd.to_timedelta([1, -1, None]),
        "at": pd.to_datetime(["2020-03-29 01:30", None, "2020-10-25"]).tz_localize("UTC").tz_convert("Europe/Berlin"),
    })
    frame.columns = list(frame.columns[:-1]) + ["note"]
    return frame
def check(a):
    pd.testing.assert_frame_equal(a, make())
    assert a.iloc[1, 0] == "" and a.iloc[2, 0] is None, a.iloc[:, 0].tolist()
`, "a", "dataframe")
}

// Frames of polars and pyarrow come back as what the parameter's annotation names, and as pandas' without one.
func TestPythonTables(t *testing.T) {
	standin, err := filepath.Abs("testdata/standin")
	if err != nil {
		t.Fatal(err)
	}
	source := `
from __future__ import annotations
import sys
sys.path.insert(0, ` + strconv.Quote(standin) + `)
from typing import Optional
import pandas as pd, polars as pl, pyarrow as pa
BIG = 2**53 + 1
def frame():
    return pl.DataFrame({"n": [BIG, None], "s": ["x", ""]})
def table():
    return pa.Table(pd.DataFrame({"n": [1]}))
def make():
    return [frame(), frame()], frame(), frame(), frame(), table(), table(), frame()
def check(a: list[pl.DataFrame], b, c: Optional[pl.LazyFrame], d: pa.Table, e, f: "pa.Table", g: pd.DataFrame):
    assert [x.columns for x in a] == [frame().columns] * 2
    assert isinstance(b, pd.DataFrame) and b["n"].dtype == "Int64" and b["n"][0] == BIG and b["n"][1] is pd.NA, b
    assert isinstance(c, pl.LazyFrame) and c.collect().columns == frame().columns
    assert isinstance(d, pa.Table) and isinstance(f, pa.Table)
    assert isinstance(e, pd.DataFrame) and e["n"].tolist() == [1]
    assert g["n"][0] == BIG, g
`
	passes(t, source, "a", "list(dataframe)", "b", "dataframe", "c", "dataframe", "d", "dataframe", "e", "dataframe", "f", "dataframe", "g", "dataframe")
	for body, says := range map[string]string{
		`frame().lazy()`:                   "collect()",
		`pl.DataFrame({"o": [{1}]})`:       "column 'o' has the type Object",
		`type("F", (pd.DataFrame,), {})()`: "which would come back as a pandas.DataFrame",
	} {
		x := python(t, "steps:other", source+"def other():\n    return "+body+"\n").scientific().outputs("a", "dataframe")
		x.fails(record.ClassUser, record.ReasonOutputInvalid, "output 'a'", says)
	}
}

// An empty file is a file.
func TestPythonEmptyFiles(t *testing.T) {
	passes(t, `
import pathlib
def make():
    pathlib.Path("empty").touch()
    return "", pathlib.Path("empty")
def check(page, text):
    assert (page, text) == ("", "")
`, "page", "html", "text", "text")
}
