package step

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// maxMessage is what Result.Message may have.
const maxMessage = 4 << 10

// failure is why an attempt didn't succeed.
type failure struct {
	class   record.Class
	reason  string
	message string
}

func (f *failure) Error() string { return f.message }

func userFault(reason, format string, args ...any) *failure {
	return &failure{record.ClassUser, reason, fmt.Sprintf(format, args...)}
}

func worldFault(reason, format string, args ...any) *failure {
	return &failure{record.ClassInfrastructure, reason, fmt.Sprintf(format, args...)}
}

// storing sorts an error that store.Save gave: what can't be kept is the user's fault, else it is the store's.
func storing(output string, err error) *failure {
	var content *store.ContentError
	if errors.As(err, &content) {
		return userFault(record.ReasonOutputInvalid, "output %q can't be kept: %s", output, content)
	}
	return worldFault(record.ReasonStore, "output %q could not be stored: %s", output, err)
}

// clip cuts a message to what a record may hold.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxMessage {
		return s
	}
	s = s[:maxMessage-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
