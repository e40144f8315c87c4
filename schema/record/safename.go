package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// maxSafeName leaves room for more in the name of a file.
const maxSafeName = 180

// SafeName returns the text that replaces a in the keys of a store, in paths and in labels. It is the address itself,
// except that a string key is replaced by its digest, because it may hold any character: train["a/b"] becomes
// train[k-…]. Long addresses are cut and end in a digest. Two addresses never have the same safe name.
func (a Address) SafeName() string {
	address := string(a)
	if !strings.Contains(address, `"`) && len(address) <= maxSafeName {
		return address
	}
	var b strings.Builder
	for rest := address; rest != ""; {
		at := strings.Index(rest, `["`)
		if at < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:at])
		dec := json.NewDecoder(strings.NewReader(rest[at+1:]))
		var key string
		if dec.Decode(&key) != nil { // not an address that the engine builds
			b.WriteString("[k-" + digest(rest[at:]) + "]")
			break
		}
		b.WriteString("[k-" + digest(key))
		rest = rest[at+1+int(dec.InputOffset()):]
	}
	out := b.String()
	if len(out) > maxSafeName {
		out = out[:maxSafeName-40] + "~" + digest(address)
	}
	return out
}

// Digested reports whether a safe name holds digests in place of parts of its address.
func Digested(safeName string) bool {
	return strings.Contains(safeName, "[k-") || strings.Contains(safeName, "~")
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
