package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// Finding is what was found out about one part of a stack.
type Finding struct {
	Part string `json:"part"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what is there, or what is wrong with it
}

// CheckPart is what findings about a store are under.
const CheckPart = "artifact store"

// Checker is a Store that knows best what can be wrong with it.
type Checker interface {
	// Check tries what runs need, each thing only where those before it were found right.
	Check(ctx context.Context) []Finding
}

// Check tries what runs need of a store. place is where it is, for a person. What it writes to try the store stays
// there, at keys of its own.
func Check(ctx context.Context, s Store, place string) []Finding {
	if c, ok := As[Checker](s); ok {
		return c.Check(ctx)
	}
	f := Finding{Part: CheckPart, OK: true, Text: place + ": can be written and read, and keeps what may be written once"}
	if err := tryOut(ctx, s); err != nil {
		f.OK, f.Text = false, place+": "+err.Error()
	}
	return []Finding{f}
}

// tryOut keeps an object that may be there once, reads it back, and has the store refuse it the second time.
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
		return errors.New("what was written does not read back")
	}
	if again := s.Put(ctx, key, bytes.NewReader(content), IfAbsent); !errors.Is(again, ErrExists) {
		return errors.New("it writes an object a second time that may be written once")
	}
	return nil
}
