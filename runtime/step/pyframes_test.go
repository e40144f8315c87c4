//go:build linux

package step_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
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
