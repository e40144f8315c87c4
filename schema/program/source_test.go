package program_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
)

func TestParseSource(t *testing.T) {
	for text, kept := range map[string]string{
		"data/x.csv": "data/x.csv", "./data/../x/": "x/", "s3://bucket/a/b": "s3://bucket/a/b", "s3://bucket/a/": "s3://bucket/a/",
		"./s3:/key": "./s3:/key", "x/../c:/y": "./c:/y", "a/b:c": "a/b:c", "2024:01/x": "2024:01/x", "a b:c": "a b:c",
		strings.Repeat("a", 2048): strings.Repeat("a", 2048),
	} {
		if s, err := program.ParseSource(text); err != nil || s.String() != kept {
			t.Errorf("%.40q is kept as %.40q, want %.40q (%v)", text, s, kept, err)
		}
	}
	for text, says := range map[string]string{
		"": "it is empty", strings.Repeat("a", 2049): "longer than 2048 bytes", "a\tb": "no path can contain", "\xff": "no path can contain",
		"s3:/bucket/key": "write s3://BUCKET/KEY", "s3:bucket": "write s3://BUCKET/KEY", "git+ssh:x": "git+ssh: looks like", "C:\\x": "./C:\\x",
		"S3://bucket/key": "write s3:// in lower case", "gs://bucket/key": "gs:// is not supported: a param is imported from s3://BUCKET/KEY",
		"s3://b/key": "3 to 63 characters", "s3:///key": "3 to 63 characters", "s3://bucket": "a bucket without a key", "/etc/passwd": "outside", "../x": "outside", "a/..": "outside",
	} {
		if s, err := program.ParseSource(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v (%v), want %q", text, s, err, says)
		}
	}
}

// TestSourceKept holds that a source means the same once it was kept.
func TestSourceKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"s3:", "//", "/", "a", "bucket", ".", "..", ":", "-", "1"}), 1, 8).Draw(t, "source"), "")
		s, err := program.ParseSource(text)
		if err != nil {
			return
		}
		if again, err := program.ParseSource(s.String()); err != nil || again != s {
			t.Fatalf("%q is kept as %q, which is %+v (%v)", text, s, again, err)
		}
	})
}
