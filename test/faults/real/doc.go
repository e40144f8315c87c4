// Package real holds the simulation of test/faults to real servers: an API server with its etcd, and an S3 server.
//
//   - The answers of the models are compared with golden files, which are recorded from the real servers
//     (go test ./test/faults/real -run Recorded -update, with the test cluster).
//   - Cells of the simulation run against the real API server: make faults-real.
package real
