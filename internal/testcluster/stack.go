package testcluster

import (
	"fmt"
	"strings"
)

// Stack is the stack of a project that runs on the test cluster.
type Stack struct {
	Namespace string
	Bucket    string // its store is beneath the prefix of the namespace
	Secret    string // with the keys of the store
	// S3 is the URL of the S3 server; "": that of the test cluster.
	S3 string
	// Orchestrator is added to the block of the orchestrator, a line each.
	Orchestrator []string
}

// Text returns the block of the stack, which is called k8s.
func (s Stack) Text(c Cluster) string {
	if s.S3 == "" {
		s.S3 = c.S3
	}
	var more strings.Builder
	for _, line := range s.Orchestrator {
		fmt.Fprintf(&more, "    %s\n", line)
	}
	return fmt.Sprintf(`stack "k8s" {
  orchestrator "kubernetes" {
    context            = "admin"
    namespace          = %q
    synchronous        = true
    kubernetes_version = "1.37"
%s  }
  artifact_store "s3" {
    path       = "s3://%s/%s"
    endpoint   = %q
    path_style = true
    region     = %q
    secret     = %q
  }
  container_registry "generic" {
    uri = "%s/pipec"
  }
}
`, s.Namespace, more.String(), s.Bucket, s.Namespace, s.S3, c.S3Region, s.Secret, c.Registry)
}

// StoreKeys are the variables of the S3 server's keys, as a Secret or an environment has them.
func (c Cluster) StoreKeys() map[string]string {
	return map[string]string{"AWS_ACCESS_KEY_ID": c.S3AccessKey, "AWS_SECRET_ACCESS_KEY": c.S3SecretKey}
}
