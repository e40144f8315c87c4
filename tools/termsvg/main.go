// Termsvg draws what a terminal shows at the end of a session as an SVG: for pictures in the documentation that are real
// output. It reads what was sent to the terminal, with its control sequences, such as `script` records it.
//
//	termsvg -columns 100 -title pipec <session >picture.svg
//
// It knows the sequences that programs use for colours, for going up some lines and for erasing; others are left out.
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
	title := flag.String("title", "", "what stands in the window's bar, and is read to those who can't see it")
	flag.Parse()
	if *columns < 1 {
		fmt.Fprintln(os.Stderr, "termsvg: a terminal has at least one column")
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
