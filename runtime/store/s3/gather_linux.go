package s3

import "syscall"

// waitFor makes a socket readable only when so many bytes have arrived, or the connection has ended.
func waitFor(c syscall.RawConn, bytes int) error {
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, bytes)
	}); err != nil {
		return err
	}
	return failed
}
