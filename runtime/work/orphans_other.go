//go:build !linux

package work

// Kill is implemented on Linux only: elsewhere the environment of processes can't be read, and only the process groups
// that the driver kills are ended.
func (r Run) Kill() error { return nil }

// Processes returns nil: it is implemented on Linux only.
func (r Run) Processes() Processes { return nil }
