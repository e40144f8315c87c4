// Termsvg draws the content of a terminal at the end of a session as an SVG: for pictures of real output in the
// documentation. It reads what was sent to the terminal, with its control sequences, as `script` records it.
//
//	termsvg -columns 100 -title pipec <session >picture.svg
//
// It supports the sequences that programs use for colors, for moving up some lines and for erasing; others are ignored.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	columns := flag.Int("columns", 100, "the width of the terminal")
	title := flag.String("title", "", "the title of the window, which is also the picture's text for screen readers")
	flag.Parse()
	if *columns < 1 {
		fmt.Fprintln(os.Stderr, "termsvg: -columns must be at least 1")
		os.Exit(64)
	}
	if err := run(os.Stdin, os.Stdout, *columns, *title); err != nil {
		fmt.Fprintln(os.Stderr, "termsvg:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, columns int, title string) error {
	s := screen{columns: columns}
	if err := s.read(bufio.NewReader(in)); err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	draw(w, &s, title)
	return w.Flush()
}
