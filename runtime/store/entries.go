package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// IndexFile is the file that maps keys to entries, in the directory in which a step gets a map of artifacts.
const IndexFile = "index.json"

// ListEntry returns the name of element i, in the directory in which a step gets a list of artifacts.
func ListEntry(i int) string { return fmt.Sprintf("%06d", i) }

// MapEntry returns the name of a key's element, in the directory in which a step gets a map of artifacts. It is a hash,
// because keys may contain any character.
func MapEntry(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}
