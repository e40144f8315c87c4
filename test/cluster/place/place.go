// Package place defines where the test cluster is: its directories on this machine and its addresses. There is one test
// cluster a machine, so all of them are constants except the cache's directory. The package accesses no files.
package place

import (
	"os"
	"path/filepath"
)

// State holds everything that a running cluster writes. It is not below a temporary directory: cleaners of those would
// take a running cluster's files away. Paths of sockets below it stay short, as the kernel wants them.
const State = "/var/lib/pipec-cluster"

// Directories and files of the state. Logs outlive the cluster, until the next one starts.
const (
	Lock   = State + ".lock"       // held by the process that starts or stops the cluster
	Logs   = State + ".logs"       // a log a process, and audit.log
	Audit  = Logs + "/audit.log"   // every request about pods, jobs, leases and config maps, one JSON object a line
	Access = State + "/access"     // certificates, keys, tokens
	Config = State + "/config"     // configuration files of the services
	Pids   = State + "/pids"       // a file a process
	Run    = State + "/run"        // sockets and short-lived files
	Admin  = State + "/kubeconfig" // contexts: admin, `nobody`, unknown-token
	Key    = State + "/key"        // the digest of what the cluster was started from
	Bin    = State + "/bin"        // a link to the directory of its binaries
)

// The node's addresses. The cluster lives in a network namespace of its own; a pair of veth devices joins it to the
// host's, so that programs in both, and pods, reach the same services at the same address, Node's.
const (
	Namespace = "pipec" // of the network
	NodeName  = "node"  // as the API knows it
	Node      = "10.77.0.1"
	HostSide  = "10.77.1.1"
	NodeSide  = "10.77.1.2"
	LinkBits  = "/30"
	Pods      = "10.77.16.0/20"
	Services  = "10.0.0.0/24"
	APIInPods = "10.0.0.1" // the service "kubernetes"

	API      = Node + ":6443"
	Registry = Node + ":5000"
	S3       = Node + ":9000"
	Kubelet  = Node + ":10250"
	Etcd     = "127.0.0.1:2379" // inside the network namespace only
)

// What the S3 server takes. They guard nothing: the server is reached from this machine only, and holds what tests put.
const (
	S3Access = "pipec-test"
	S3Secret = "pipec-test-secret"
	S3Region = "us-east-1"
)

// Cache returns the directory of the built binaries: PIPEC_CLUSTER_CACHE, or else pipec/cluster in the user's cache.
func Cache() (string, error) {
	if dir := os.Getenv("PIPEC_CLUSTER_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "pipec", "cluster"), nil
}
