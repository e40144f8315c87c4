package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// Finding is the result of checking one part of a stack.
type Finding struct {
	Part string `json:"part"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what was found, or what is wrong
}

// CheckPart is the Part of findings about a store.
const CheckPart = "artifact store"

// Checker is a Store with checks of its own, such as those of a bucket.
type Checker interface {
	// Check tries what runs need. It stops at the first thing that fails.
	Check(ctx context.Context) []Finding
}

// Check tries what runs need of a store. place is the store's path, for messages. The objects that it writes stay, at keys
// of their own.
func Check(ctx context.Context, s Store, place string) []Finding {
	if c, ok := As[Checker](s); ok {
		return c.Check(ctx)
	}
	f := Finding{Part: CheckPart, OK: true, Text: place + ": can be written and read, and does not overwrite objects that are written once"}
	if err := tryOut(ctx, s); err != nil {
		f.OK, f.Text = false, place+": "+err.Error()
	}
	return []Finding{f}
}

// Readable tries whether the store can be read, which a run needs: that its bucket exists, and accepts the credentials. It
// writes nothing. It reads one object that does not exist, because a request without a response body, such as Stat, can't
// distinguish a missing bucket from a missing object.
func Readable(ctx context.Context, s Store, namespace string) error {
	_, err := ReadAll(ctx, s, "runs/"+namespace+"/.check")
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	return err
}

// tryOut writes an object once, reads it back, and expects the store to refuse a second write.
func tryOut(ctx context.Context, s Store) error {
	key := fmt.Sprintf("check/%d", time.Now().UnixNano())
	content := []byte("pipec stack check\n")
	if err := s.Put(ctx, key, bytes.NewReader(content), IfAbsent); err != nil {
		return err
	}
	back, err := ReadAll(ctx, s, key)
	if err != nil {
		return err
	}
	if !bytes.Equal(back, content) {
		return errors.New("the content that was written does not read back")
	}
	if again := s.Put(ctx, key, bytes.NewReader(content), IfAbsent); !errors.Is(again, ErrExists) {
		return errors.New("the store overwrites objects that must be written once")
	}
	return nil
}
