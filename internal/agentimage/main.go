// Agentimage writes the image of pipec-agent as an OCI image layout, from binaries that are already built. It is for this
// repository's own Makefile; runtime/image/agent does the work.
package main

import (
	"flag"
	"fmt"
	"os"

	"pipec.dev/pipec/runtime/image/agent"
)

func main() {
	out := flag.String("out", "", "the `DIR` to write")
	version := flag.String("version", "", "the `VERSION` in the image's labels")
	flag.Parse()
	if err := write(*out, *version, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "agentimage:", err)
		os.Exit(1)
	}
}

func write(out, version string, paths []string) error {
	if out == "" || len(paths) == 0 {
		return fmt.Errorf("usage: agentimage -out DIR [-version VERSION] BINARY")
	}
	var binaries []*agent.Binary
	for _, path := range paths {
		b, err := agent.ReadBinary(path)
		if err != nil {
			return err
		}
		binaries = append(binaries, b)
	}
	index, err := agent.Build(binaries, version, true)
	if err != nil {
		return err
	}
	if err := agent.Write(index, out); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s %s\n", out, digest)
	return err
}
