package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"regexp"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// bufferSize is the size of the buffer of a copy.
const bufferSize = 128 << 10

// digestForm is the regular expression of a digest.
const digestForm = `^sha256:[0-9a-f]{64}$`

// CorruptError is returned if content does not have its digest.
type CorruptError struct{ Key, Want, Got string }

func (e *CorruptError) Error() string {
	return fmt.Sprintf("the object %s is damaged: expected digest %s, found %s", e.Key, e.Want, e.Got)
}

// ContentError is returned if a file or a directory can't be stored because of what it is. The store is not at fault.
type ContentError struct{ Path, Why string }

func (e *ContentError) Error() string { return e.Path + " " + e.Why }

// CheckDigest returns an error if s is not a digest in the form that pipec writes.
func CheckDigest(s string) error {
	if ok, _ := regexp.MatchString(digestForm, s); !ok {
		return fmt.Errorf("%q is not a digest", shorten(s))
	}
	return nil
}

func digestOf(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

func digestOfSum(sum [sha256.Size]byte) string { return "sha256:" + hex.EncodeToString(sum[:]) }

// PutBytes stores data by its digest, which it returns.
func PutBytes(ctx context.Context, s Store, data []byte) (string, error) {
	if !isLocal(s) {
		h := HashBytes(data)
		return h.digest, putHashed(ctx, s, h)
	}
	digest := program.Digest(data)
	kept, err := holds(ctx, s, digest, int64(len(data)))
	if err != nil || kept {
		return digest, err
	}
	return digest, putBlob(ctx, s, digest, bytes.NewReader(data))
}

// putBlob writes content whose digest is known to a local store. It replaces an existing object, which may have been torn
// by a loss of power.
func putBlob(ctx context.Context, s Store, digest string, r io.Reader) error {
	return s.Put(ctx, record.BlobKey(digest), r, Replace)
}

// putHashed writes content to a remote store, where an existing object is always whole.
func putHashed(ctx context.Context, s Store, h *Hashed) error {
	err := s.Put(ctx, record.BlobKey(h.digest), h, IfAbsent)
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// holds reports whether a local store has the content undamaged. It reads it; see putBlob.
func holds(ctx context.Context, s Store, digest string, size int64) (bool, error) {
	info, err := s.Stat(ctx, record.BlobKey(digest))
	if errors.Is(err, ErrNotExist) || err == nil && info.Size != size {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r, err := OpenBlob(ctx, s, digest)
	if err != nil {
		return false, err
	}
	defer r.Close()
	_, err = io.CopyBuffer(onlyWriter{io.Discard}, onlyReader{r}, make([]byte, min(bufferSize, size+1)))
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		return false, nil
	}
	return err == nil, err
}

// onlyReader and onlyWriter hide the other methods of a file or of io.Discard, so that io.CopyBuffer uses its buffer.
type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

// saveFile stores the regular file at path, and returns its digest and size. With move the file may be gone afterwards.
func saveFile(ctx context.Context, s Store, path string, move bool) (string, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, unreadable(path, err)
	}
	defer f.Close()
	mover, local := As[Mover](s)
	if !local {
		return sendFile(ctx, s, f, path)
	}
	info, err := f.Stat()
	if err != nil {
		return "", 0, unreadable(path, err)
	}
	h := sha256.New()
	buf := make([]byte, min(bufferSize, info.Size()+1))
	size, err := io.CopyBuffer(h, onlyReader{contextReader{ctx, f}}, buf)
	if err != nil {
		return "", 0, unreadable(path, err)
	}
	digest := digestOf(h)
	if move {
		if err := mover.Move(ctx, path, record.BlobKey(digest), Replace); !errors.Is(err, errors.ErrUnsupported) {
			return digest, size, err
		}
	}
	if kept, err := holds(ctx, s, digest, size); err != nil || kept {
		return digest, size, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", 0, unreadable(path, err)
	}
	// The second reading is compared with the first: a file that is still being written would get a wrong digest.
	again := &verifier{r: f, h: sha256.New(), want: digest, key: path}
	err = putBlob(ctx, s, digest, again)
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		return "", 0, &ContentError{path, "changed while it was read"}
	}
	return digest, size, err
}

// sendFile stores an open file in a remote store.
func sendFile(ctx context.Context, s Store, f *os.File, path string) (string, int64, error) {
	h, err := hashFile(ctx, f, path)
	if err != nil {
		return "", 0, err
	}
	err = putHashed(ctx, s, h)
	if corrupt, ok := errors.AsType[*CorruptError](err); ok && corrupt.Key == path {
		return "", 0, &ContentError{path, "changed while it was read"}
	}
	return h.digest, h.size, err
}

func unreadable(path string, err error) error {
	var perr *os.PathError
	if errors.As(err, &perr) {
		return &ContentError{path, "can't be read: " + perr.Err.Error()}
	}
	return err
}

// PutFile writes the file at path as the object at key. It moves the file if the store can do that, and else copies it.
func PutFile(ctx context.Context, s Store, key, path string, mode Mode) error {
	if mover, ok := As[Mover](s); ok {
		if err := mover.Move(ctx, path, key, mode); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.Put(ctx, key, f, mode)
}

// OpenBlob streams content. If the content does not have the digest, the last Read returns a *CorruptError. A caller that
// stops before io.EOF has verified nothing.
func OpenBlob(ctx context.Context, s Store, digest string) (io.ReadCloser, error) {
	if err := CheckDigest(digest); err != nil {
		return nil, err
	}
	key := record.BlobKey(digest)
	r, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	v := &verifier{r: contextReader{ctx, r}, h: sha256.New(), want: digest, key: key}
	return struct {
		io.Reader
		io.Closer
	}{v, r}, nil
}

// ReadBlob reads content of at most limit bytes into memory.
func ReadBlob(ctx context.Context, s Store, digest string, limit int64) ([]byte, error) {
	r, err := OpenBlob(ctx, s, digest)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", record.BlobKey(digest), limit)
	}
	return data, err
}

type verifier struct {
	r         io.Reader
	h         hash.Hash
	want, key string
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	v.h.Write(p[:n])
	if err == io.EOF {
		if got := digestOf(v.h); got != v.want {
			return n, &CorruptError{Key: v.key, Want: v.want, Got: got}
		}
	}
	return n, err
}
