package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// endpointVariable names the environment variable with the URL of the S3 server.
const endpointVariable = "PIPEC_TEST_S3"

func endpoint() string { return os.Getenv(endpointVariable) }

// tick is the unit of processor times in /proc.
const tick = time.Second / 100

// serverTime returns the processor time that the S3 servers of the test cluster have needed. They are processes of this machine.
func serverTime() (total time.Duration) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		program, _, _ := bytes.Cut(cmdline, []byte{0})
		if filepath.Base(string(program)) != "versitygw" {
			continue
		}
		stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
		_, rest, _ := strings.Cut(string(stat), ") ") // the name of the program may contain spaces
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			continue
		}
		for _, field := range fields[11:13] { // utime, stime
			n, _ := strconv.ParseInt(field, 10, 64)
			total += time.Duration(n) * tick
		}
	}
	return total
}
