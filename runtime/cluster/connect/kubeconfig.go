package connect

import (
	"errors"
	"fmt"

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
	access := &clientcmd.ClientConfigLoadingRules{Precedence: files}
	config, err := access.GetStartingConfig()
	if err != nil {
		return "", fmt.Errorf("the kubeconfig can't be read: %w", err)
	}
	file = access.GetDefaultFilename()
	if known := config.Clusters[c.EKS.ARN]; known != nil && known.LocationOfOrigin != "" {
		file = known.LocationOfOrigin
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
	cluster.LocationOfOrigin, user.LocationOfOrigin, context.LocationOfOrigin = file, file, file
	config.Clusters[name], config.AuthInfos[name], config.Contexts[name] = cluster, user, context
	config.CurrentContext = name
	if err := clientcmd.ModifyConfig(access, *config, true); err != nil {
		return "", fmt.Errorf("the kubeconfig can't be written: %w", err)
	}
	return file, nil
}
