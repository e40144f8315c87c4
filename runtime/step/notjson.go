package step

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/schema/record"
)

// maxQuoted bounds how much of an output a message shows, in bytes.
const maxQuoted = 60

// notJSON explains why the content of a file is not the JSON of a value. why is the parser's reason. Secrets are removed before the
// content is cut, so that no part of one is left.
func notJSON(data []byte, why string, masks *mask.Set) string {
	if len(bytes.TrimSpace(data)) == 0 || json.Valid(data) {
		return why
	}
	masked := masks.String(string(data))
	if masked != string(data) {
		why = "not valid JSON" // the parser's reason may quote a character of a secret
	}
	text := "the file contains " + quoted(masked) + ": " + why
	if hint := jsonHint(string(data)); hint != "" {
		text += "; " + hint
	}
	return text
}

// notJSONFile is notJSON for an artifact of the type json, with all of its content. Its caller removes the secrets, which are
// recognized with their white space.
func notJSONFile(data []byte, why string) string {
	if len(bytes.TrimSpace(data)) == 0 {
		return why
	}
	text := "the file contains " + start(string(data)) + ": " + why
	if hint := jsonHint(string(data)); hint != "" {
		text += "; " + strings.TrimSuffix(hint, ", or declare the output string")
	}
	return text
}

const utf16Hint = "it is UTF-16: write the file as UTF-8 (in Python, with encoding utf-8)"

// isUTF16 reports whether a text starts with the byte order mark of UTF-16.
func isUTF16(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff"))
}

// quoted returns the start of a text in quotes, without line breaks and repeated spaces.
func quoted(s string) string { return start(strings.Join(strings.Fields(s), " ")) }

// onOneLine returns the start of a text of JSON, which has quotes of its own.
func onOneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if cut := record.Cut(s, maxQuoted); len(cut) < len(s) {
		return cut + "…"
	}
	return s
}

// start returns the start of a text in quotes.
func start(s string) string {
	cut := record.Cut(s, maxQuoted)
	if len(cut) < len(s) {
		return strconv.Quote(cut) + "…"
	}
	return strconv.Quote(s)
}

// hints are the usual mistakes, the certain ones first. Quoted text in the content is removed before they are looked for.
var hints = []struct {
	found *regexp.Regexp
	hint  string
}{
	{regexp.MustCompile(`^\x{feff}`), "it begins with a byte order mark: write the file as UTF-8 without one (in Python, with encoding utf-8 and not utf-8-sig)"},
	{regexp.MustCompile(`\bTrue\b`), "Python's True is true in JSON: print json.dumps(value), not the value itself"},
	{regexp.MustCompile(`\bFalse\b`), "Python's False is false in JSON: print json.dumps(value), not the value itself"},
	{regexp.MustCompile(`\bNone\b`), "Python's None is null in JSON: print json.dumps(value), not the value itself"},
	{regexp.MustCompile(`(?i)^[-+]?(nan|inf|infinity)$|\b(NaN|nan|Infinity|inf)\b`), "JSON has no NaN and no infinity: declare the type any and write it as text, or write no file and declare the output optional"},
	{regexp.MustCompile(`'`), "strings have double quotes in JSON: print json.dumps(value), not the value itself"},
	{regexp.MustCompile(`,\s*[\]}]`), "remove the comma after the last element"},
	{regexp.MustCompile(`[“”„]`), "quotes in JSON are straight (\")"},
	{regexp.MustCompile(`[{,]\s*[A-Za-z_][A-Za-z_0-9]*\s*:`), "names have double quotes in JSON: print json.dumps(value), not the value itself"},
	{regexp.MustCompile(`^[-+]?[0-9.]+\s*%$`), "write the number without %"},
	{regexp.MustCompile(`^[-+]?[0-9]+,[0-9]+$`), "write the number with a point, not with a comma"},
	{regexp.MustCompile(`(?i)^(true|false|yes|no|on|off)$`), "a bool is true or false in JSON, in lower case"},
	{regexp.MustCompile(`^\+|^-?\.[0-9]|^-?[0-9]+\.$`), "a number in JSON has digits before and after its point, and no +: print json.dumps(value)"},
	{regexp.MustCompile(`\S\s*\n\s*\S`), "it has several lines: write one JSON value and nothing else"},
}

var jsonStrings = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

func jsonHint(text string) string {
	if isUTF16([]byte(text)) {
		return utf16Hint
	}
	text = strings.TrimSpace(text)
	bare := jsonStrings.ReplaceAllString(text, `""`)
	for _, h := range hints {
		if h.found.MatchString(bare) {
			return h.hint
		}
	}
	if strings.IndexAny(text, "{[\"") != 0 {
		return fmt.Sprintf("text is written in quotes (%s), or declare the output string", `"…"`)
	}
	return ""
}
