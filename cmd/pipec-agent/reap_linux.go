package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// endedChild returns the process ID of a child that has ended, or 0, without reaping it.
func endedChild() (int, error) {
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil {
		return 0, err
	}
	// The kernel's structure is a union (asm-generic/siginfo.h). For a child that has ended, it starts with the process
	// ID.
	const common = (3*4 + unsafe.Sizeof(uintptr(0)) - 1) &^ (unsafe.Sizeof(uintptr(0)) - 1)
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(&info), common))), nil
}
