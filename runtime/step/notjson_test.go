package step

import (
	"encoding/json"
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

// TestSecretInJSONFile: the message about a file that is not JSON shows its content without a secret, and without a part of one
// that was cut.
func TestSecretInJSONFile(t *testing.T) {
	const secret = "geheim  nis\nzweite  \"zeile\""
	inJSON, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	masks := mask.New(map[string]string{"KEY": secret})
	for _, before := range []int{0, 20, 35, 42} {
		for _, text := range []string{secret, string(inJSON)} {
			file := `{"` + strings.Repeat("a", before) + `": ` + text + ",}"
			_, why := checkContent(strings.NewReader(file), int64(len(file)), "json")
			if got := masks.String(why); !strings.Contains(got, "***") || strings.Contains(got, "geheim") || strings.Contains(got, "zweite") {
				t.Errorf("%q: %s", file, got)
			}
		}
	}
}
