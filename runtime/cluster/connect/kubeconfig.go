package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// WriteKubeconfig adds an EKS cluster to the kubeconfig and makes it the current context, as `aws eks update-kubeconfig` does: the names are
// the ARN of the cluster, and kubectl gets tokens from the command aws. Other entries are kept. environ is the environment as NAME=VALUE.
func (c *Connection) WriteKubeconfig(environ []string) (file string, err error) {
	if c.EKS == nil || c.EKS.ARN == "" {
		return "", errors.New("the cluster is not an EKS cluster")
	}
	files := kubeconfigFiles(environ)
	file = files[0]
	var config *clientcmdapi.Config
	for _, one := range files { // the file that has the cluster already, or else the first
		found, err := clientcmd.LoadFromFile(one)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			found = clientcmdapi.NewConfig()
		case err != nil:
			return "", fmt.Errorf("the kubeconfig %s can't be read: %w", one, err)
		}
		if config == nil || found.Clusters[c.EKS.ARN] != nil {
			file, config = one, found
		}
		if found.Clusters[c.EKS.ARN] != nil {
			break
		}
	}
	name := c.EKS.ARN
	cluster, user, context := clientcmdapi.NewCluster(), clientcmdapi.NewAuthInfo(), clientcmdapi.NewContext()
	cluster.Server, cluster.CertificateAuthorityData = c.Config.Host, c.Config.CAData
	user.Exec = &clientcmdapi.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1beta1", Command: "aws", InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode,
		Args: []string{"--region", c.EKS.Region, "eks", "get-token", "--cluster-name", c.EKS.Name, "--output", "json"},
	}
	if profile := getenv(environ, "AWS_PROFILE"); profile != "" {
		user.Exec.Env = []clientcmdapi.ExecEnvVar{{Name: "AWS_PROFILE", Value: profile}}
	}
	context.Cluster, context.AuthInfo, context.Namespace = name, name, c.Namespace
	config.Clusters[name], config.AuthInfos[name], config.Contexts[name] = cluster, user, context
	config.CurrentContext = name
	return file, write(file, config)
}

// write replaces a kubeconfig, which only the user may read.
func write(file string, config *clientcmdapi.Config) (err error) {
	data, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".kubeconfig-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}
