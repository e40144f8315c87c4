package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// versions are the resource versions of objects, by their names.
type versions map[string]int64

// source is what has arrived of a watch. It is filled outside of the bubble, and safe for concurrent use.
type source struct {
	stop context.CancelFunc

	mu   sync.Mutex
	buf  []byte   // what the bubble has not taken yet
	line []byte   // the start of the next event
	seen versions // of the objects that exist, as far as the events report
	err  error    // how the stream has ended
}

func (s *source) read(from io.ReadCloser) {
	defer from.Close()
	for p := make([]byte, 64<<10); ; {
		n, err := from.Read(p)
		s.mu.Lock()
		s.buf, s.err = append(s.buf, p[:n]...), err
		s.line = append(s.line, p[:n]...)
		for {
			line, rest, ok := bytes.Cut(s.line, []byte{'\n'})
			if !ok {
				break
			}
			s.note(line)
			s.line = bytes.Clone(rest)
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// note takes in an event. The caller must hold mu.
func (s *source) note(line []byte) {
	var e struct {
		Type   string
		Object struct{ Metadata metav1.ObjectMeta }
	}
	if json.Unmarshal(line, &e) != nil {
		return
	}
	switch m := &e.Object.Metadata; e.Type {
	case "ADDED", "MODIFIED":
		s.seen[m.Name] = versionOf(m)
	case "DELETED":
		delete(s.seen, m.Name)
	}
}

func versionOf(m *metav1.ObjectMeta) int64 {
	n, _ := strconv.ParseInt(m.ResourceVersion, 10, 64)
	return n
}

// take returns what has arrived, and the end of the stream if nothing is left.
func (s *source) take(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	if n == 0 {
		return 0, s.err
	}
	return n, nil
}

// complete reports whether the stream has reported of all that exists, and of all that doesn't, or has ended.
func (s *source) complete(now versions) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return true
	}
	for name, version := range now {
		if s.seen[name] < version {
			return false
		}
	}
	for name := range s.seen {
		if _, ok := now[name]; !ok {
			return false
		}
	}
	return true
}

// late is how long a server may need to send an event, by the real clock.
const late = 2 * time.Minute

// follow waits by the real clock until a source is complete. path is that of the list of its objects.
func (b *Bridge) follow(s *source, path string) error {
	return b.outside(func() reply {
		ctx, cancel := context.WithTimeout(context.Background(), late)
		defer cancel()
		for {
			now, err := b.list(ctx, path)
			if err != nil || s.complete(now) {
				return reply{err: err}
			}
			time.Sleep(time.Millisecond)
		}
	}).err
}

// list returns the objects of a list.
func (b *Bridge) list(ctx context.Context, path string) (versions, error) {
	answer, err := b.do(ctx, request{method: http.MethodGet, path: path})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var list struct {
		Items []struct{ Metadata metav1.ObjectMeta }
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return nil, err
	}
	out := versions{}
	for i := range list.Items {
		out[list.Items[i].Metadata.Name] = versionOf(&list.Items[i].Metadata)
	}
	return out, nil
}
