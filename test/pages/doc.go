// Package pages runs what the pages of the documentation show: each command and each block of code in README.md and in the
// pages of docs/ that people write by hand for users (see its list). It reads a page as Markdown, and executes the blocks in order,
// in a new home directory.
//
// The info string of a block, after its language, declares what is done with the block:
//
//	title=FILE      writes FILE
//	append=FILE     appends to FILE
//	from=FILE       the text is a part of FILE of the repository
//	in=BLOCK        HCL that is valid in a block: step, pipeline, stack, aws (a stack with a recipe), kubernetes (an orchestrator), file
//	as=KIND         YAML of a kind: kubernetes (default), github, gitlab, custom (objects of other controllers), pipec
//	source=DIR      messages of pipec: the parts between "…" are in the source, or in the expected output, of a folder
//	check="REASON"  can't be run here, for the REASON; it is checked as far as possible
//	cluster         a command that requires a cluster: it runs on the test cluster, and is otherwise checked
//	exit=N          the exit status of the last command
//	any-order       the lines of the output come in any order
//	background      a command that is left running once it has printed the output
//	continued       the rest of the output of the command in the background, which ends
//
// `sh` is a script, and `console` is commands after "$ ", with what they print. In an output, "…" is any text in a line, and a
// line "…" or "..." any number of lines. Times, names of runs, digests and the width of columns need not be the same. Other
// languages require a mark. A comment "<!-- test", with the marks above, holds commands that only the test runs, or one of:
//
//	continues=PAGE  executes another page first, in the same directory
//	needs=MODULES   requires a Python with these modules
//
// The package doesn't check links (links_test.go at the root) or generated pages (internal/docs).
package pages
