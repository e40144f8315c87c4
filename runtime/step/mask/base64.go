package mask

import (
	"encoding/base64"
	"strings"
)

// base64Forms adds the base64 of a text: on its own, and as a part of the base64 of a longer text. There, the text
// starts at one of three offsets in a group of three bytes, and the characters at its ends may also depend on what is
// around it. A text that is wrapped is added in pieces, as encoders write it in lines.
func base64Forms(text string, wrapped bool, add func(string)) {
	for before := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte("\x00\x00"[:before] + text))
		from := (8*before + 5) / 6
		whole := 8 * (before + len(text)) / 6
		if from >= whole {
			continue
		}
		ended := strings.TrimRight(encoded, "=")
		for _, form := range [...]string{encoded[from:], ended[from:], encoded[from:whole]} {
			addBase64(form, add)
			if wrapped && before == 0 {
				wrap(form, 76, add) // base64, Python's encodebytes
				wrap(form, 64, add) // openssl
			}
		}
	}
}

func wrap(form string, columns int, add func(string)) {
	for ; len(form) > columns; form = form[columns:] {
		addBase64(form[:columns], add)
	}
	if len(form) >= MinLine {
		addBase64(form, add)
	}
}

// addBase64 adds a form in both alphabets, and in a URL.
func addBase64(form string, add func(string)) {
	add(form)
	if strings.ContainsAny(form, "+/=") {
		add(inURL.Replace(form))
		add(lowerURL.Replace(form))
		add(urlAlphabet.Replace(form))
	}
}

var (
	urlAlphabet = strings.NewReplacer("+", "-", "/", "_")
	inURL       = strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D")
	lowerURL    = strings.NewReplacer("+", "%2b", "/", "%2f", "=", "%3d")
)
