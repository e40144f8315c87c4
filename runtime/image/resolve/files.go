package resolve

import (
	"path"
	"strings"
)

// Files returns the texts of a lock and of the files that it includes, by their names.
func Files(dir, lock string) (map[string]string, error) {
	text, err := readFile(dir, lock)
	if err != nil {
		return nil, err
	}
	out := map[string]string{lock: text}
	if strings.HasSuffix(lock, ".toml") || path.Base(lock) == "uv.lock" {
		return out, nil
	}
	s := &source{seen: out}
	return out, s.parse(dir, lock, text, 0)
}

// FileName returns the name of the file that an address leads to.
func FileName(address string) string { return fileName(address) }
