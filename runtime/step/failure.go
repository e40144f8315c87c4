package step

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// maxMessage is the maximum length of Result.Message.
const maxMessage = 4 << 10

// failure is why an attempt did not succeed.
type failure struct {
	class   record.Class
	reason  string
	message string
}

func (f *failure) Error() string { return f.message }

func userFailure(reason, format string, args ...any) *failure {
	return &failure{record.ClassUser, reason, fmt.Sprintf(format, args...)}
}

// infrastructureFailure is a failure of the infrastructure. It is retried without counting as an attempt, unless waiting can't
// help: a step of hours must not be repeated because the disk was full at its end.
func infrastructureFailure(reason, format string, args ...any) *failure {
	class := record.ClassInfrastructure
	for _, arg := range args {
		if err, ok := arg.(error); ok && lasting(err) {
			class = record.ClassUser
		}
	}
	return &failure{class, reason, fmt.Sprintf(format, args...)}
}

// lasting reports whether an error lasts until somebody fixes its cause: a full disk, a quota, missing permissions.
func lasting(err error) bool {
	for _, e := range []error{unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.EACCES, unix.EPERM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// storing classifies an error of store.Save: content that can't be stored is a fault of the user, other errors are
// faults of the store.
func storing(output string, err error) *failure {
	var content *store.ContentError
	if errors.As(err, &content) {
		return userFailure(record.ReasonOutputInvalid, "output %q can't be saved: %s", output, content)
	}
	return infrastructureFailure(record.ReasonStore, "output %q could not be stored: %s", output, err)
}

// clip cuts a message to the length that a record may contain.
func clip(s string) string { return record.Clip(s, maxMessage) }
