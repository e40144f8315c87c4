package wheel

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
)

// record reads RECORD: it must list exactly the files of the wheel, each with a secure hash.
func (o *opener) record() error {
	data, err := o.small("RECORD")
	if err != nil {
		return err
	}
	name := o.wheel.DistInfo + "/RECORD"
	lines := csv.NewReader(bytes.NewReader(data))
	lines.ReuseRecord = true
	lines.FieldsPerRecord = -1
	listed := map[string]bool{}
	for {
		row, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(row) != 3 {
			return o.fault(name, "has a line that is not PATH,HASH,SIZE: %v", err)
		}
		path := row[0]
		if listed[path] {
			return o.fault(path, "is twice in RECORD")
		}
		listed[path] = true
		if err := o.recordLine(path, row[1], row[2]); err != nil {
			return err
		}
	}
	for path, f := range o.files {
		if !listed[path] && !o.unrecorded(path) {
			return o.fault(path, "is not in RECORD")
		}
		f.wheel = o.filename
	}
	return nil
}

func (o *opener) recordLine(path, sum, size string) error {
	f := o.files[path]
	switch {
	case f == nil:
		return o.fault(path, "is in RECORD, but not in the wheel")
	case o.unrecorded(path):
		return nil
	}
	algorithm, encoded, _ := strings.Cut(sum, "=")
	switch algorithm {
	case "sha256":
		f.newHash = sha256.New
	case "sha384":
		f.newHash = sha512.New384
	case "sha512":
		f.newHash = sha512.New
	case "":
		return o.fault(path, "has no hash in RECORD")
	default:
		return o.fault(path, "has a hash by %.20q in RECORD, expected sha256", algorithm)
	}
	var err error
	if f.sum, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "=")); err != nil || len(f.sum) != f.newHash().Size() {
		return o.fault(path, "has an invalid hash in RECORD: %.100q", sum)
	}
	if n, err := strconv.ParseInt(size, 10, 64); size != "" && (err != nil || n != f.Size) {
		return o.fault(path, "has %d bytes, but RECORD says %.20q", f.Size, size)
	}
	return nil
}

// unrecorded reports whether a file has no hash in RECORD: the list itself and its signatures.
func (o *opener) unrecorded(path string) bool {
	rest, ok := strings.CutPrefix(path, o.wheel.DistInfo+"/")
	return ok && (rest == "RECORD" || rest == "RECORD.jws" || rest == "RECORD.p7s")
}

// RecordHash returns the hash of content as RECORD writes it.
func RecordHash(content []byte) string {
	sum := sha256.Sum256(content)
	return encodeSum(sha256.New(), sum[:])
}

func encodeSum(h hash.Hash, sum []byte) string {
	name := map[int]string{sha256.Size: "sha256", sha512.Size384: "sha384", sha512.Size: "sha512"}[h.Size()]
	return name + "=" + base64.RawURLEncoding.EncodeToString(sum)
}
