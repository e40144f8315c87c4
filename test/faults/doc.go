// Package faults simulates runs on a cluster that fails, and checks that each ends as it should: the real coordinator and the
// real wrapper, in a world of test/faults/world. docs/reliability.md lists what is promised and tested.
//
// A cell is a reference run (testdata/runs), a seed, and at most two faults (test/faults/plan), each at one call of the run.
// All single faults at all calls of all reference runs are tried, and pairs by seed. test/faults/check judges what has
// happened. A cell that is wrong is made as small as possible, and printed with the line that repeats it:
//
//	make faults                    all cells
//	make faults SEED='plain~0 …'   one cell, with its whole history
//	go test ./test/faults          the cells of make test, every tenth
//
// Package real runs such cells with a real API server, and package cluster disturbs runs on the test cluster.
package faults
