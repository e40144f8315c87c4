// Package testcluster connects tests to the test cluster (test/cluster): a real Kubernetes with a registry and an S3
// server, at the addresses in the environment. It doesn't start the cluster: make cluster-up does, and
//
//	eval "$(make -s cluster-env)"
//
// sets the environment. Without it, a test that requires the cluster is skipped with a message, or fails with CI=true.
package testcluster

import (
	"os"
	"testing"
)

// A Cluster is a running test cluster. Its addresses are the same for programs on this machine and for pods.
type Cluster struct {
	// Kubeconfig is the path of a kubeconfig. Its contexts are `admin` (the current one), `nobody`, a user without any
	// rights, and `unknown-token`, a token that the API server doesn't know.
	Kubeconfig string
	API        string // the API server's URL
	Registry   string // host:port of the registry: plain http, anyone may push
	S3         string // the S3 server's URL; bucket names are paths there
	AuditLog   string // path of the API server's audit log: one JSON object a line, without the objects themselves
	Kubectl    string // path of a kubectl of the cluster's version

	S3AccessKey, S3SecretKey, S3Region string
}

// Busybox returns the reference of an image with a shell and the usual small tools. Its tags are "1", which declares no
// user and so is root, "root-named" (user "root"), "user-named" (user "app", 1000 in its passwd) and "user-1234"
// (user "1234").
func (c Cluster) Busybox(tag string) string { return c.Registry + "/test/busybox:" + tag }

// Env returns the test cluster of the environment. Without one, the test is skipped, or fails with CI=true. It is also
// skipped with -short, because tests on a cluster take seconds.
func Env(t testing.TB) Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("the test requires a cluster, which is too slow for -short")
	}
	if c, ok := Find(); ok {
		return c
	}
	const why = `the test requires the test cluster: run make cluster-up, then eval "$(make -s cluster-env)"`
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return Cluster{}
}

// Find returns the test cluster of the environment, and whether there is one. It is for programs that are not tests.
func Find() (Cluster, bool) {
	c := Cluster{
		Kubeconfig:  os.Getenv("PIPEC_TEST_KUBECONFIG"),
		API:         os.Getenv("PIPEC_TEST_API"),
		Registry:    os.Getenv("PIPEC_TEST_REGISTRY"),
		S3:          os.Getenv("PIPEC_TEST_S3"),
		AuditLog:    os.Getenv("PIPEC_TEST_AUDIT_LOG"),
		Kubectl:     os.Getenv("PIPEC_TEST_KUBECTL"),
		S3AccessKey: os.Getenv("PIPEC_TEST_S3_ACCESS_KEY"),
		S3SecretKey: os.Getenv("PIPEC_TEST_S3_SECRET_KEY"),
		S3Region:    os.Getenv("PIPEC_TEST_S3_REGION"),
	}
	return c, c.Kubeconfig != ""
}
