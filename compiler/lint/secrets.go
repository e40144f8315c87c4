package lint

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// shapes are secrets with a known format. words are texts that each of them contains, which rule out most texts without
// running the pattern.
var shapes = []struct {
	what  string
	words []string
	like  func() *regexp.Regexp
}{
	{"an AWS access key", []string{"AKIA", "ASIA"}, pattern(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`)},
	{"a private key", []string{"PRIVATE KEY"}, pattern(`-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----`)},
	{"a GitHub token", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"}, pattern(`\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})`)},
	{"a GitLab token", []string{"glpat-"}, pattern(`\bglpat-[A-Za-z0-9_-]{20,}`)},
	{"a Slack token", []string{"xox"}, pattern(`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`)},
	{"a Slack webhook", []string{"hooks.slack.com"}, pattern(`hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{20,}`)},
	{"a Google API key", []string{"AIza"}, pattern(`\bAIza[A-Za-z0-9_-]{35}`)},
	{"an API key", []string{"sk-", "sk_live_", "rk_live_"}, pattern(`\b(?:sk-[A-Za-z0-9_-]*[A-Za-z0-9]{20,}|[sr]k_live_[A-Za-z0-9]{20,})`)},
	{"a Hugging Face token", []string{"hf_"}, pattern(`\bhf_[A-Za-z0-9]{30,}`)},
	{"an npm token", []string{"npm_"}, pattern(`\bnpm_[A-Za-z0-9]{36}`)},
	{"a PyPI token", []string{"pypi-"}, pattern(`\bpypi-[A-Za-z0-9_-]{50,}`)},
	{"a signed token", []string{"eyJ"}, pattern(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`)},
	{"a storage account's key", []string{"AccountKey="}, pattern(`AccountKey=[A-Za-z0-9+/]{40,}={0,2}`)},
}

var (
	// urlPassword is user:password@host of a URL.
	urlPassword = pattern(`\b[a-z][a-z0-9+.-]*://[^\s/:@` + hole + `]*:([^\s/:@]+)@`)
	// assignment is NAME=VALUE or --name VALUE in a longer text.
	assignment = pattern(`(?i)(?:^|[\s;&?"'(])-{0,2}([a-z0-9_-]*(?:passwo?r?d|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key))(?:\s*[=:]\s*|\s+)["']?([^\s"';&|)]+)`)
	identifier = pattern(`^[A-Za-z_][A-Za-z_.]*[(\[]?`)
)

// pattern compiles a regular expression on first use, so that other commands of pipec don't wait for it.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// secret returns what kind of secret a text under a name looks like; "" if none.
func secret(name, text string) string {
	if len(text) < 4 {
		return ""
	}
	for _, s := range shapes {
		if slices.ContainsFunc(s.words, func(w string) bool { return strings.Contains(text, w) }) && !strings.HasSuffix(s.like().FindString(text), "EXAMPLE") && s.like().MatchString(text) {
			return s.what
		}
	}
	if strings.Contains(text, "://") {
		if m := urlPassword().FindStringSubmatch(text); m != nil && !placeholder(m[1]) {
			return "the password of a URL"
		}
	}
	if kind := kindOf(name); kind != "" && !strings.ContainsAny(text, " \t\n") && plausible(kind, text) {
		return kind
	}
	if strings.ContainsAny(text, "=: ") {
		for _, m := range assignment().FindAllStringSubmatch(text, 20) {
			kind := kindOf(m[1])
			if kind != "" && hasDigit(m[2]) && identifier().FindString(m[2]) != m[2] && plausible(kind, m[2]) {
				return kind
			}
		}
	}
	if randomKey(text) {
		return "a random key"
	}
	return ""
}

const (
	aPassword = "a password"
	aKey      = "a secret key"
	aToken    = "a token"
)

// kindOf returns the kind of secret that a name suggests: DB_PASSWORD, awsSecretKey, api-token. MAX_TOKENS, TOKEN_FILE and
// PASSWORD_LENGTH suggest none.
func kindOf(name string) string {
	words := splitName(name)
	if len(words) == 0 {
		return ""
	}
	last, before := words[len(words)-1], ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch last {
	case "password", "passwd", "pwd", "passphrase":
		return aPassword
	case "apikey", "secretkey", "privatekey", "accesskey":
		return aKey
	case "secret", "token", "credential", "credentials":
		return aToken
	case "key":
		switch before {
		case "api", "access", "secret", "private", "encryption", "signing", "account", "auth":
			return aKey
		}
	}
	return ""
}

func splitName(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			lower = false
			continue
		case unicode.IsUpper(r) && lower:
			flush()
		}
		lower = unicode.IsLower(r)
		word = append(word, r)
	}
	flush()
	return words
}

// plausible reports whether a value can be what its name suggests. A password may be any word. A token and a key are
// random: names of Secrets, special tokens of a language model, and paths are not.
func plausible(kind, value string) bool {
	if placeholder(value) {
		return false
	}
	if kind == aPassword {
		return len(value) >= 4
	}
	return len(value) >= 12 && hasDigit(value) && strings.ContainsFunc(value, unicode.IsLetter) && entropy(value) >= 3
}

// placeholder reports whether a value only refers to another: a variable, a path, a reference, or nothing.
func placeholder(value string) bool {
	switch strings.ToLower(value) {
	case "true", "false", "null", "none", "nil", "yes", "no", "empty", "changeme", "example", "redacted", "password", "passwd", "secret", "token":
		return true
	}
	return strings.ContainsAny(value, hole+"$<>{}%*") || strings.HasPrefix(value, "/") || strings.HasPrefix(value, "./") ||
		strings.Contains(value, "://") || strings.HasPrefix(value, "arn:") || strings.HasPrefix(value, "your") || strings.Count(value, value[:1]) == len(value)
}

// randomKey reports whether a text is one long word of mixed letters and digits that looks random. A digest in lower-case
// hex is not.
func randomKey(text string) bool {
	if len(text) < 32 || len(text) > 200 {
		return false
	}
	var lower, upper, digit int
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z':
			lower++
		case r >= 'A' && r <= 'Z':
			upper++
		case r >= '0' && r <= '9':
			digit++
		case !strings.ContainsRune("+=", r):
			return false
		}
	}
	return lower >= 6 && upper >= 6 && digit >= 3 && entropy(text) >= 4.3
}

func hasDigit(s string) bool { return strings.ContainsFunc(s, unicode.IsDigit) }

// entropy returns the bits of information per character of the text, from the frequencies of its characters.
func entropy(s string) float64 {
	count := map[rune]int{}
	total := 0
	for _, r := range s {
		count[r]++
		total++
	}
	var bits float64
	for _, n := range count {
		f := float64(n) / float64(total)
		bits -= f * math.Log2(f)
	}
	return bits
}
