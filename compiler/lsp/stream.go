package lsp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// maxMessage limits the size of a message: a header may declare any length.
const maxMessage = 256 << 20

// stream reads and writes messages in the protocol's framing: headers, an empty line, JSON. Unlike the library's own
// stream, it survives malformed messages: it answers them with an error, and reads the next one.
type stream struct {
	in  *bufio.Reader
	log func(format string, args ...any)

	mu  sync.Mutex
	out io.Writer
}

const lengthHeader = "content-length:"

// errMalformed is the error of one message; the next one may be valid.
var errMalformed = errors.New("malformed message")

// ReadObject reads the next valid message.
func (s *stream) ReadObject(v any) error {
	for {
		body, err := s.body()
		if err == nil {
			if err = readMessage(body, v); err == nil {
				return nil
			}
		}
		if !errors.Is(err, errMalformed) {
			return err
		}
		s.log("%v", err)
		if err := s.WriteObject(unreadable(err)); err != nil {
			return err
		}
	}
}

// unreadable returns the answer to a malformed message. Its id is null, which the library can't write.
func unreadable(err error) any {
	return object{"jsonrpc": "2.0", "id": nil, "error": object{"code": codeParse, "message": err.Error()}}
}

// readMessage reads a message. The library panics if a member has an unexpected type.
func readMessage(body []byte, v any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errMalformed, r)
		}
	}()
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %v", errMalformed, err)
	}
	return nil
}

// body reads headers and the body that they announce. Lines that are not headers are skipped: after a wrong length, the
// rest of a message follows, and then the next message.
func (s *stream) body() ([]byte, error) {
	length := -1
	for {
		line, err := s.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		i := strings.LastIndex(lower(text), lengthHeader) // after a truncated message, it may be at the end of the line
		switch {
		case text == "" && length >= 0:
			body, err := io.ReadAll(io.LimitReader(s.in, int64(length)))
			if err == nil && len(body) < length {
				err = io.ErrUnexpectedEOF
			}
			return body, err
		case i >= 0:
			value := strings.TrimSpace(text[i+len(lengthHeader):])
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > maxMessage {
				return nil, fmt.Errorf("%w: %.40q is not a length", errMalformed, value)
			}
			length = n
		case text != "" && !strings.Contains(text, ":"):
			s.log("%.40q is not a header", text)
		}
	}
}

// lower returns a text of the same length without upper-case ASCII letters.
func lower(s string) string {
	out := []byte(s)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] += 'a' - 'A'
		}
	}
	return string(out)
}

// WriteObject writes a message at once.
func (s *stream) WriteObject(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.out.Write(append([]byte("Content-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"), body...))
	return err
}

// Close leaves stdin and stdout open: they are the process's own.
func (s *stream) Close() error { return nil }
