//go:build !linux

package work

// Kill is for Linux: elsewhere an environment can't be read, and the process groups that a driver ends are all.
func (r Run) Kill() error { return nil }

func (r Run) processes() []int { return nil }
