package index

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// login is an entry of the netrc file.
type login struct{ user, password string }

// logins are the entries by host. The host "" is the default entry.
type logins map[string]login

// For returns the entry of a host.
func (l logins) find(host string) (login, bool) {
	if found, ok := l[strings.ToLower(host)]; ok {
		return found, true
	}
	found, ok := l[""]
	return found, ok
}

// readNetrc reads a netrc file. A missing file has no entries. Errors contain no part of the file.
func readNetrc(name string) (logins, error) {
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the netrc file can't be read: %w", err)
	}
	return parseNetrc(string(data)), nil
}

func parseNetrc(text string) logins {
	out := logins{}
	host, current, open := "", login{}, false
	end := func() {
		if _, ok := out[host]; open && !ok { // the first entry wins
			out[host] = current
		}
		current, open = login{}, false
	}
	var words []string
	macro := false
	for line := range strings.Lines(text) {
		if macro = macro && strings.TrimSpace(line) != ""; macro {
			continue
		}
		f := strings.Fields(line)
		for i, w := range f {
			if strings.HasPrefix(w, "#") && (i == 0 || f[i-1] != "password") {
				f = f[:i]
				break
			}
			macro = macro || w == "macdef" // a macro ends with an empty line
		}
		words = append(words, f...)
	}
	for i := 0; i < len(words); i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "machine":
			end()
			host, open = strings.ToLower(value), true
			i++
		case "default":
			end()
			host, open = "", true
		case "login":
			current.user = value
			i++
		case "password":
			current.password = value
			i++
		case "account", "macdef":
			i++
		}
	}
	end()
	return out
}
