package work

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAnswers(t *testing.T) {
	dir, err := In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := dir.Run("r")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Answer(t.Context(), "a", []byte("1")); !errors.Is(err, ErrNotAsked) {
		t.Errorf("before it asks: %v", err)
	}
	q, err := r.Requests()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.OpenAnswers(); err != nil {
		t.Fatal(err)
	}
	type verdict struct {
		taken bool
		err   error
	}
	give := func(name, data string) <-chan verdict {
		c := make(chan verdict, 1)
		go func() {
			taken, err := r.Answer(context.Background(), name, []byte(data))
			c <- verdict{taken, err}
		}()
		return c
	}
	one := give("a", "yes")
	<-q.Answers
	if names := r.Answers(); len(names) != 1 || names[0] != "a" {
		t.Fatalf("answers: %q", names)
	}
	if data, err := r.ReadAnswer("a", 3); err != nil || string(data) != "yes" {
		t.Errorf("read %q, %v", data, err)
	}
	if _, err := r.ReadAnswer("a", 2); err == nil {
		t.Error("an answer that is too large is read")
	}
	if v := <-give("a", "no"); !errors.Is(v.err, ErrAnswered) {
		t.Errorf("a second one: %+v", v)
	}
	r.CloseAnswer("a", true)
	if v := <-one; !v.taken || v.err != nil {
		t.Errorf("taken: %+v", v)
	}
	if v := <-give("a", "no"); !errors.Is(v.err, ErrAnswered) || len(r.Answers()) != 0 {
		t.Errorf("after it was taken: %+v, %q", v, r.Answers())
	}
	two := give("b", "?")
	<-q.Answers
	r.CloseAnswer("b", false)
	if v := <-two; v.taken || v.err != nil {
		t.Errorf("refused: %+v", v)
	}
	if v := func() verdict {
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer stop()
		taken, err := r.Answer(ctx, "c", nil)
		return verdict{taken, err}
	}(); v.taken || v.err == nil {
		t.Errorf("nobody takes it: %+v", v)
	}
	three := give("d", "?")
	<-q.Answers
	q.Close()
	lock.Release()
	if v := <-three; v.taken || v.err != nil {
		t.Errorf("the driver is gone: %+v", v)
	}
	if left, _ := filepath.Glob(filepath.Join(r.Path(), answersName, ".answer-*")); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	if err := os.RemoveAll(r.Path()); err != nil {
		t.Fatal(err)
	}
}
