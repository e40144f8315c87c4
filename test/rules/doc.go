// Package rules tests the meaning of the language, clause by clause. One table of cases runs with the driver of this
// machine and on the test cluster, with the commands that a user would run. The pages of docs/meaning are generated from
// the same table.
//
// The package tests no part separately: the engine, the compiler and the drivers have tests of their own.
//
// # Adding a case
//
// The rules are in testdata/rules/rules.md at the root; add a rule to its end. A case is a file
// testdata/rules/RULE-NN-NAME.txtar; NN only orders the cases of a rule. The first line of its comment is the clause, and
// the other lines are further explanations. The files of a project follow: small steps of `sh` that work on busybox as on
// this machine, with the image "busybox"; and
//
//	-- runs --
//	pipec run --param x=2          the commands, one a line; without the file: pipec run
//	  on a | up: pipec cancel latest     runs after step a has written the line "up"
//	-- want --
//	the outcome                    `go test ./test/rules -update` writes it, by a run on this machine, or on the cluster
//	                               if only the cluster runs the case
//
// A line of the comment may be an option:
//
//	only: local, because …         or cluster: the rule is about what the other driver doesn't have
//	at once: fan=2                 shows the largest number of instances of fan that ran at the same time; on a
//	                               cluster it may be smaller than 2
//	without: logs                  omits the lines that steps write (or steps, outputs, messages)
//
// Read the outcome before you commit it. It is the same for both drivers, byte by byte, except for these options.
package rules
