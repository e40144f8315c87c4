package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// copy copies this program into a directory for another container of the pod. An init container runs it on clusters
// that can't mount an image as a volume.
func (a *agent) copy(args []string) int {
	if len(args) != 1 {
		fmt.Fprint(a.stderr, usage)
		return exitUsage
	}
	if err := copySelf(args[0]); err != nil {
		a.say("%s", err)
		return exitEnvironment
	}
	return 0
}

func copySelf(dir string) error {
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer from.Close()
	// The file has another name until it is complete.
	temp := filepath.Join(dir, ".pipec-agent")
	to, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if cerr := to.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(temp, 0o755) // regardless of the umask
	}
	if err == nil {
		err = os.Rename(temp, filepath.Join(dir, "pipec-agent"))
	}
	return err
}
