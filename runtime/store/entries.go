package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// IndexFile names, in the directory that a map of artifacts is to a step, the entry of each key.
const IndexFile = "index.json"

// ListEntry is the name of the i-th element in the directory that a list of artifacts is to a step.
func ListEntry(i int) string { return fmt.Sprintf("%06d", i) }

// MapEntry is the name of a key's element in the directory that a map of artifacts is to a step: keys may hold any
// character.
func MapEntry(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}
