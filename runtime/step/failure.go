package step

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

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

// worldFault is the infrastructure's, and so tried again without counting; but not where waiting mends nothing: a step
// of hours is not run again because the disk was full at its end.
func worldFault(reason, format string, args ...any) *failure {
	class := record.ClassInfrastructure
	for _, arg := range args {
		if err, ok := arg.(error); ok && lasting(err) {
			class = record.ClassUser
		}
	}
	return &failure{class, reason, fmt.Sprintf(format, args...)}
}

// lasting says whether an error stays until somebody does something about it: a full disk, a quota, no permission.
func lasting(err error) bool {
	for _, e := range []error{unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.EACCES, unix.EPERM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// storing sorts an error that store.Save gave: what can't be kept is the user's fault, else it is the store's.
func storing(output string, err error) *failure {
	var content *store.ContentError
	if errors.As(err, &content) {
		return userFault(record.ReasonOutputInvalid, "output %q can't be saved: %s", output, content)
	}
	return worldFault(record.ReasonStore, "output %q could not be stored: %s", output, err)
}

// clip cuts a message to what a record may hold.
func clip(s string) string { return record.Clip(s, maxMessage) }
