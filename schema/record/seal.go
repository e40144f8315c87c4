package record

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// SealKey returns the key with which the agent of an attempt seals its reports. The coordinator passes it to the agent, and the
// step's process can't read it. It is derived from the run's UID, so that every coordinator of the run knows it. The UID is
// random, and a step doesn't know it unless it may read the records of the run.
func (r *Run) SealKey(step string, attempt int) string {
	return hex.EncodeToString(mac(r.UID, "key", []byte(r.AttemptDir(step, attempt))))
}

// SealKind is the kind of a report, so that a seal of one kind is not valid for another.
type SealKind string

// The kinds of reports.
const (
	SealResult      SealKind = "result"      // result.json
	SealTermination SealKind = "termination" // the termination message of the container
)

// The seal is the last member of a JSON object. SealSize is its size in bytes.
const (
	sealBegins = `,"seal":"`
	sealEnds   = `"}`
	SealSize   = len(sealBegins) + 2*sha256.Size
)

// Seal adds a seal to the encoding of a JSON object that is not empty. The seal proves that the object was written by a
// program that knows the key. An empty key adds none.
func Seal(key string, kind SealKind, object []byte) []byte {
	body, ok := bytes.CutSuffix(bytes.TrimRight(object, "\n"), []byte("}"))
	if key == "" || !ok {
		return object
	}
	out := make([]byte, 0, len(body)+SealSize+len(sealEnds)+1)
	out = append(append(out, body...), sealBegins...)
	out = hex.AppendEncode(out, mac(key, kind, body))
	return append(append(out, sealEnds...), '\n')
}

// Sealed reports whether an object was sealed with the key and not changed afterwards.
func Sealed(key string, kind SealKind, object []byte) bool {
	rest, ok := bytes.CutSuffix(bytes.TrimRight(object, "\n"), []byte(sealEnds))
	if key == "" || !ok || len(rest) < SealSize {
		return false
	}
	body, seal := rest[:len(rest)-SealSize], rest[len(rest)-SealSize:]
	text, ok := bytes.CutPrefix(seal, []byte(sealBegins))
	got, err := hex.DecodeString(string(text))
	return ok && err == nil && hmac.Equal(got, mac(key, kind, body))
}

func mac(key string, kind SealKind, data []byte) []byte {
	h := hmac.New(sha256.New, []byte(key))
	_, _ = h.Write([]byte(kind))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(data)
	return h.Sum(nil)
}
