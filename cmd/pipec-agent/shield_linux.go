package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// shield keeps other processes from reading the memory of this process, including processes of the same user and root
// without CAP_SYS_PTRACE. The kernel then refuses them ptrace, process_vm_readv, pidfd_getfd, and environ, mem, maps, fd
// and similar files in /proc. The files of this process in /proc belong to root, and it leaves no core dump. A child is
// protected until it executes a program.
//
// In addition, the keys are erased from the block of memory in which the kernel passed the environment, in case a process
// may read that all the same, and a child doesn't inherit the files with which this process was started. Errors of these
// two are not reported.
func shield() error {
	eraseKeys()
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("the agent's memory can't be protected from the step's process: %w", err)
	}
	return nil
}

// eraseKeys overwrites the values of the keys in the environment as the kernel passed it.
func eraseKeys() {
	block, err := os.ReadFile("/proc/self/environ")
	if err != nil {
		return
	}
	start, ok := environStart()
	if !ok {
		return
	}
	for at := 0; at < len(block); {
		entry, _, _ := bytes.Cut(block[at:], []byte{0})
		if name, value, ok := bytes.Cut(entry, []byte("=")); ok && isKey(string(name)) && len(value) > 0 {
			offset := at + len(name) + 1
			erase(start+uintptr(offset), len(value))
		}
		at += len(entry) + 1
	}
}

// erase overwrites memory of this process.
func erase(address uintptr, n int) {
	zeros := make([]byte, n)
	local := []unix.Iovec{{Base: &zeros[0]}}
	local[0].SetLen(n)
	_, _ = unix.ProcessVMWritev(os.Getpid(), local, []unix.RemoteIovec{{Base: address, Len: n}}, 0)
}

// environStart returns the address of the environment as the kernel passed it: field 50 of /proc/PID/stat.
func environStart() (uintptr, bool) {
	data, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, false
	}
	const first, envStart = 3, 50 // the first field behind the name, which may contain spaces
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) <= envStart-first {
		return 0, false
	}
	n, err := strconv.ParseUint(fields[envStart-first], 10, 64)
	return uintptr(n), err == nil && n > 0
}
