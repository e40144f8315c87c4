package step

import (
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/step/mask"
)

// The content of an output in a message has no secret, and no part of one that is cut.
func TestNotJSONHidesSecrets(t *testing.T) {
	secret := strings.Repeat("s3cret-", 4)
	for _, data := range []string{secret, "x " + secret, strings.Repeat("x", maxQuoted-10) + secret, "line\n" + secret} {
		got := notJSON([]byte(data), "not valid JSON", mask.New(map[string]string{"KEY": secret}))
		if strings.Contains(got, "s3c") || !strings.Contains(got, "not valid JSON") || strings.Contains(got, "\n") {
			t.Errorf("%q: %s", data, got)
		}
	}
}

func TestJSONHint(t *testing.T) {
	for text, want := range map[string]string{
		`True`: "true in JSON", `{"a": False}`: "false in JSON", `[None]`: "null in JSON", `['a']`: "double quotes", `nan`: "NaN", `-inf`: "NaN", `{"a": NaN}`: "NaN",
		`[1,]`: "comma", `{"a": 1, }`: "comma", `93%`: "%", `+1`: "no +", `1.`: "digits", "1\n2": "several lines", `hello`: "in quotes", `{"True": `: "", `{"it's": 1`: "",
		"\xff\xfe1\x00": "UTF-16", `[“a”]`: "straight", `{a: 1}`: "names have double quotes", `1,5`: "with a point", `yes`: "true or false", `TRUE`: "true or false",
	} {
		if got := jsonHint(text); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
