package store

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// secret reports whether a file that is packed looks like a secret: a file with variables such as .env, a password file, or
// a private key. Of keys the content decides, so that certificates and public keys are not meant.
func secret(dir, name string) bool {
	base := strings.ToLower(path.Base(name))
	switch {
	case base == ".env" || strings.HasPrefix(base, ".env."):
		switch base[strings.LastIndexByte(base, '.'):] {
		case ".example", ".sample", ".template", ".dist", ".defaults":
			return false
		}
		return true
	case base == ".netrc", base == ".pgpass", base == ".pypirc":
		return true
	}
	switch path.Ext(base) {
	case ".p12", ".pfx":
		return true
	case ".pem", ".key", ".ppk":
	default:
		if !strings.HasPrefix(base, "id_") || strings.Contains(base, ".") {
			return false
		}
	}
	return privateKey(filepath.Join(dir, filepath.FromSlash(name)))
}

// SecretsNote returns what to know about a bundle with files that look like secrets; "" if there are none.
func SecretsNote(paths []string) string {
	const most = 5
	if len(paths) == 0 {
		return ""
	}
	text := strings.Join(paths[:min(len(paths), most)], ", ")
	if len(paths) > most {
		text += fmt.Sprintf(" and %d more", len(paths)-most)
	}
	return "it contains what looks like secrets: " + text + "; to leave files out, name them in .pipecignore"
}

// keyHead is how much of a file is searched for a private key, in bytes.
const keyHead = 16 << 10

// privateKey reports whether a file contains a private key. A file that can't be read contains none.
func privateKey(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, keyHead))
	return err == nil && (bytes.Contains(head, []byte("PRIVATE KEY-----")) || bytes.HasPrefix(head, []byte("PuTTY-User-Key-File")))
}
