// Package rules holds the meaning of the language to its rules, clause by clause: one table of cases, which the driver
// of this machine and the test cluster both run, by the commands that a user would give. The pages of docs/meaning are
// made of the same table.
//
// It tries no part by itself: the engine, the compiler and the drivers have tests of their own.
//
// # Adding a case
//
// The rules themselves are in testdata/rules/rules.md at the root; a rule that is new goes to its end. A case is a file
// testdata/rules/RULE-NN-NAME.txtar; NN only orders the cases of a rule. Its comment is the clause, in a line, and below it what
// else a reader should know. Then follow the files of a project, small steps of `sh` that do on busybox what they do here,
// with the image "busybox"; and
//
//	-- runs --
//	pipec run --param x=2          what is done, a command a line; without the file: pipec run
//	  on a | up: pipec cancel latest     while that goes on, once step a has written the line "up"
//	-- want --
//	what comes of it               `go test ./test/rules -update` writes it, by a run on this machine; of a case that only the cluster runs, there
//
// A line of the comment may say
//
//	only: local, because …         or cluster: the rule is about what the other hasn't got
//	at once: fan=2                 tells how many instances of fan, at most, had started and not ended; on a
//	                               cluster fewer than 2 will do
//	without: logs                  leaves out the lines that steps write (or steps, outputs, messages)
//
// What is wanted is read by people: look at it before it is committed. It is the same for both drivers, byte by byte, but for
// what the case says otherwise in such a line.
package rules
