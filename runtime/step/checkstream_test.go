package step

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"pipec.dev/pipec/schema/types"
)

// Sequential content gets the same result as a file.
func TestCheckStream(t *testing.T) {
	long := strings.Repeat("ä,b\n", 1<<16)
	contents := map[string]string{
		"empty": "", "text": "a,b\n1,2\n", "long": long, "long and bad": long + "\xff", "cut": long + "\xc3", "nul": long + "\x00", "json": `{"a": [1, 2]}`,
		"long json": `["` + long[:1<<16] + `"]`, "half json": `["` + long, "npy": "\x93NUMPY\x01\x00", "png": "\x89PNG\r\n\x1a\n",
		"parquet": "PAR1" + strings.Repeat("x", 1<<17) + "PAR1", "half": "PAR1" + strings.Repeat("x", 1<<17), "small parquet": "PAR1xxxxPAR1",
		"tiny": "PAR1PAR1", "PAR1": "PAR1", "page": strings.Repeat("x", headSize), "two pages": strings.Repeat("x", 2*headSize),
	}
	for name, content := range contents {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, kind := range types.Kinds {
			if kind == "directory" {
				continue
			}
			format, why := checkKind(path, types.Artifact{Kind: kind})
			for _, r := range []io.Reader{strings.NewReader(content), iotest.OneByteReader(strings.NewReader(content))} {
				got, err := CheckStream(r, types.Artifact{Kind: kind})
				said := ""
				if wrong, ok := errors.AsType[*WrongKindError](err); ok {
					said = wrong.Why
				} else if err != nil {
					t.Fatal(err)
				}
				if got != format || said != why {
					t.Errorf("%s as %s: %q %q, and as a file %q %q", name, kind, got, said, format, why)
				}
			}
		}
	}
	for _, kind := range types.Kinds {
		for _, before := range []string{"", "PAR1", `["`, long} {
			no := errors.New("no")
			_, err := CheckStream(io.MultiReader(bytes.NewReader([]byte(before)), iotest.ErrReader(no)), types.Artifact{Kind: kind})
			if before != long && !errors.Is(err, no) { // the start of a long one may be enough
				t.Errorf("%s after %.9q: %v", kind, before, err)
			}
		}
	}
}
