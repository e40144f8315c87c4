// Command sh is the shell of the base in the tests of Dockerfiles. It keeps the command in /commands, with the secret TOKEN if it has one.
package main

import "os"

func main() {
	f, err := os.OpenFile("/commands", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	text := os.ExpandEnv(os.Args[len(os.Args)-1])
	if text == "fail" {
		panic("no such package")
	}
	if token, err := os.ReadFile("/run/secrets/token"); err == nil {
		text += " with a secret of " + string(rune('0'+len(token))) + " bytes"
	}
	if _, err := f.WriteString(text + "\n"); err != nil {
		panic(err)
	}
}
