package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"

	"pipec.dev/pipec/schema/program"
)

const (
	minPart  = 8 << 20
	maxParts = 10_000 // of one object, as S3 has it
)

// PartSize returns the size of the parts in which an object of this size is written and read: 8 MiB, or more if that would
// be more parts than S3 allows.
func PartSize(size int64) int64 {
	part := (size + maxParts - 1) / maxParts
	part = (part + 1<<20 - 1) &^ (1<<20 - 1)
	return max(part, minPart)
}

// Hashed is content that was hashed before it is written: as a whole, and in parts, so that a store can send the parts in
// any order and the server can check each one. If Read starts at the beginning, it verifies the whole: content that has
// changed fails with a *CorruptError.
type Hashed struct {
	r      io.ReaderAt
	size   int64
	digest string
	sums   [][sha256.Size]byte
	name   string

	at int64
	h  hash.Hash // of what Read returned; nil if that did not begin at the start
}

// HashBytes hashes data.
func HashBytes(data []byte) *Hashed {
	h := &Hashed{r: bytes.NewReader(data), size: int64(len(data)), h: sha256.New(), name: "the content"}
	part := PartSize(h.size)
	for rest := data; ; {
		n := min(part, int64(len(rest)))
		h.sums = append(h.sums, sha256.Sum256(rest[:n]))
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
	}
	if h.digest = digestOfSum(h.sums[0]); len(h.sums) > 1 {
		h.digest = program.Digest(data)
	}
	return h
}

// hashFile reads the whole file. The result reads from f, which stays open.
func hashFile(ctx context.Context, f *os.File, path string) (*Hashed, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	out := &Hashed{r: f, size: info.Size(), name: path, h: sha256.New()}
	part := PartSize(out.size)
	whole, one := sha256.New(), sha256.New()
	var to io.Writer = both{whole, one}
	if out.size <= part {
		to = one // the only part is the whole
	}
	buf := make([]byte, min(bothBuffer, out.size+1))
	total := int64(0)
	for {
		n, err := io.CopyBuffer(onlyWriter{to}, io.LimitReader(contextReader{ctx, f}, part), buf)
		if err != nil {
			return nil, unreadable(path, err)
		}
		total += n
		if n > 0 || total == 0 {
			out.sums = append(out.sums, [sha256.Size]byte(one.Sum(nil)))
			one.Reset()
		}
		if n < part {
			break
		}
	}
	if total != out.size {
		return nil, &ContentError{path, "changed while it was read"}
	}
	if out.size <= part {
		out.digest = digestOfSum(out.sums[0])
	} else {
		out.digest = digestOf(whole)
	}
	return out, nil
}

// Digest returns the digest of the whole, "sha256:…".
func (h *Hashed) Digest() string { return h.digest }

// Size returns the size in bytes.
func (h *Hashed) Size() int64 { return h.size }

// Sum returns the SHA-256 of part i. Parts have PartSize(Size()) bytes.
func (h *Hashed) Sum(i int) [sha256.Size]byte { return h.sums[i] }

// ReadAt reads the current content and verifies nothing: the caller compares Sum.
func (h *Hashed) ReadAt(p []byte, off int64) (int, error) { return h.r.ReadAt(p, off) }

// Changed returns a *CorruptError if part i has changed since it was hashed.
func (h *Hashed) Changed(i int) error {
	part := PartSize(h.size)
	sum := sha256.New()
	_, err := io.Copy(sum, io.NewSectionReader(h.r, int64(i)*part, min(part, h.size-int64(i)*part)))
	if err == nil && [sha256.Size]byte(sum.Sum(nil)) != h.sums[i] {
		err = &CorruptError{Key: h.name, Want: h.digest, Got: digestOf(sum)}
	}
	return err
}

// Read returns the content in order.
func (h *Hashed) Read(p []byte) (int, error) {
	n, err := h.r.ReadAt(p[:min(int64(len(p)), h.size-h.at)], h.at)
	h.at += int64(n)
	if h.h != nil {
		h.h.Write(p[:n])
	}
	switch {
	case h.at == h.size:
		if h.h != nil {
			if got := digestOf(h.h); got != h.digest {
				return n, &CorruptError{Key: h.name, Want: h.digest, Got: got}
			}
		}
		return n, io.EOF
	case err == io.EOF: // the content is shorter than it was
		return n, &CorruptError{Key: h.name, Want: h.digest, Got: "the digest of less"}
	}
	return n, err
}

// Seek implements io.Seeker. If it isn't to the start, what is read afterwards is not verified.
func (h *Hashed) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += h.at
	case io.SeekEnd:
		offset += h.size
	}
	if offset < 0 || offset > h.size {
		return h.at, errors.New("store: seek to outside of the content")
	}
	if offset == h.at {
		return h.at, nil
	}
	h.at, h.h = offset, nil
	if offset == 0 {
		h.h = sha256.New()
	}
	return offset, nil
}
