package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Place is what stands for the address of a step, an instance or a round in keys and paths: the address itself, but for
// keys of instances that are strings, of which there is a digest, since they may hold anything: train["a/b"] is at
// train[k-…]. Two addresses never have the same place.
func Place(address string) string {
	if !strings.ContainsAny(address, `"`) && len(address) <= maxPlace {
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
		if dec.Decode(&key) != nil { // no address of pipec's
			b.WriteString("[k-" + digest(rest[at:]) + "]")
			break
		}
		b.WriteString("[k-" + digest(key))
		rest = rest[at+1+int(dec.InputOffset()):]
	}
	out := b.String()
	if len(out) > maxPlace {
		out = out[:maxPlace-40] + "~" + digest(address)
	}
	return out
}

// maxPlace leaves room in a file's name.
const maxPlace = 180

// Digested says whether a place doesn't say its whole address.
func Digested(place string) bool {
	return strings.Contains(place, "[k-") || strings.Contains(place, "~")
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// Root is the name of the step of the pipeline itself that an address is of, or is beneath.
func Root(address string) string {
	if i := strings.IndexAny(address, ".[#"); i >= 0 {
		return address[:i]
	}
	return address
}

// Under says whether an address is that of a step, or of an instance, a round or a step beneath it.
func Under(address, step string) bool {
	rest, ok := strings.CutPrefix(address, step)
	return ok && (rest == "" || strings.ContainsRune(".[#", rune(rest[0])))
}
