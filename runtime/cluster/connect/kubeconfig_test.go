package connect_test

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"pipec.dev/pipec/runtime/cluster/connect"
)

// TestWriteKubeconfig merges a cluster into a new file, into one with other entries, and into the second of two files that has it.
func TestWriteKubeconfig(t *testing.T) {
	dir := t.TempDir()
	const arn = "arn:aws:eks:eu-central-1:123456789012:cluster/ml"
	c := &connect.Connection{
		Namespace: "ml", EKS: &connect.EKS{ARN: arn, Name: "ml", Region: "eu-central-1"},
		Config: &rest.Config{Host: "https://api.test", TLSClientConfig: rest.TLSClientConfig{CAData: []byte("ca")}},
	}
	first, second := filepath.Join(dir, "new", "config"), filepath.Join(dir, "other")
	if file, err := c.WriteKubeconfig([]string{"KUBECONFIG=" + first}); err != nil || file != first {
		t.Fatal(file, err)
	}
	info, err := os.Stat(first)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	const own = "apiVersion: v1\nkind: Config\ncurrent-context: mine\ncontexts: [{name: mine, context: {cluster: mine, user: me}}]\n"
	if err := os.WriteFile(second, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	if file, err := c.WriteKubeconfig([]string{"KUBECONFIG=" + second + ":" + first}); err != nil || file != first {
		t.Fatalf("the file that has the cluster is %s, %v", file, err)
	}
	if _, err := c.WriteKubeconfig([]string{"KUBECONFIG=" + second}); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(second)
	if err != nil {
		t.Fatal(err)
	}
	at := config.Contexts[arn]
	if config.Contexts["mine"] == nil || config.CurrentContext != arn || at == nil || at.Namespace != "ml" {
		t.Errorf("%+v", config)
	}
	if exec := config.AuthInfos[arn].Exec; exec == nil || exec.Command != "aws" || exec.Args[5] != "ml" || string(config.Clusters[arn].CertificateAuthorityData) != "ca" {
		t.Errorf("%+v", config.AuthInfos[arn])
	}
	if err := os.WriteFile(second, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.WriteKubeconfig([]string{"KUBECONFIG=" + second}); err == nil {
		t.Error("a broken file was replaced")
	}
	c.EKS = nil
	if _, err := c.WriteKubeconfig(nil); err == nil {
		t.Error("a cluster that is not of EKS was written")
	}
}
