// Package connect finds the cluster that a stack names, and explains why a cluster can't be reached or used. It creates
// a *rest.Config by client-go's usual rules: KUBECONFIG (which may be a list), ~/.kube/config, a context, exec plugins,
// or the service account of a pod. For an EKS cluster it needs only the name. It makes no requests to the cluster.
package connect

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // for kubeconfigs with auth-provider: oidc
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"

	"pipec.dev/pipec/schema/program"
)

// Connection is a cluster and how to connect to it.
type Connection struct {
	// Config limits neither the request rate, because the API server has its own fairness, nor the duration of
	// requests, because watches and logs are long.
	Config    *rest.Config
	Namespace string // of the stack; never ""
	Context   string // of the kubeconfig; "in-cluster", or "eks:NAME"
	Host      string // of the API server, as https://HOST:PORT
}

// dialTimeout limits an attempt to connect, because a user waits for the first one.
const dialTimeout = 10 * time.Second

// Quiet stops client-go from logging errors that it also returns. A program calls it when it starts, before anything
// uses client-go: client-go has one global logger.
func Quiet() { klog.SetLogger(logr.Discard()) }

// Open returns the cluster of an orchestrator of kind kubernetes. environ is the environment as NAME=VALUE. Open uses
// the network for EKS clusters only. Its errors are *Error.
func Open(ctx context.Context, o program.Orchestrator, environ []string) (*Connection, error) {
	c := &Connection{Namespace: o.Namespace}
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	var err error
	switch {
	case o.InCluster:
		err = c.inCluster()
	case o.EKSCluster != "":
		err = c.eks(ctx, o.EKSCluster, environ)
	default:
		err = c.kubeconfig(o.Context, environ)
	}
	if err != nil {
		return nil, err
	}
	c.Host = c.Config.Host
	c.Config.QPS, c.Config.Burst = -1, 0
	c.Config.UserAgent = "pipec"
	c.Config.WarningHandler = rest.NoWarnings{} // callers that need warnings set their own
	if c.Config.Dial == nil {
		c.Config.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	return c, nil
}

// inCluster uses the service account that Kubernetes mounts into pods.
func (c *Connection) inCluster() error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return &Error{Reason: NoConfig, Err: err,
			Text: "in_cluster is true, but this is not a pod with a service account: " + err.Error(),
			Hint: "Outside the cluster, remove in_cluster and set context to a context of the kubeconfig."}
	}
	c.Config, c.Context = config, "in-cluster"
	return nil
}

// kubeconfig merges the files of KUBECONFIG, or reads ~/.kube/config, and selects the context with this name, or the
// current one. If there is no file and this is a pod, it selects the pod's cluster.
func (c *Connection) kubeconfig(name string, environ []string) error {
	files := kubeconfigFiles(environ)
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: files}
	raw, err := rules.Load()
	if err != nil {
		return &Error{Reason: NoConfig, Text: "the kubeconfig can't be read: " + err.Error(), Err: err}
	}
	if len(raw.Contexts) == 0 && len(raw.Clusters) == 0 {
		if name == "" && getenv(environ, "KUBERNETES_SERVICE_HOST") != "" && c.inCluster() == nil {
			return nil
		}
		return noKubeconfig(files, raw)
	}
	if name == "" {
		name = raw.CurrentContext
		if name == "" {
			return noContext("the kubeconfig has no current context, and the stack names none", "", raw)
		}
	}
	if raw.Contexts[name] == nil {
		return noContext("the kubeconfig has no context "+quote(name), name, raw)
	}
	if at := raw.Contexts[name]; raw.Clusters[at.Cluster] == nil {
		return &Error{Reason: NoConfig, Text: fmt.Sprintf("context %q of the kubeconfig is for cluster %q, which the kubeconfig does not have", name, at.Cluster)}
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: name}
	config, err := clientcmd.NewNonInteractiveClientConfig(*raw, name, overrides, rules).ClientConfig()
	if err != nil {
		return &Error{Reason: NoConfig, Text: "context " + quote(name) + " of the kubeconfig can't be used: " + oneLine(err.Error()), Err: err}
	}
	c.Config, c.Context = config, name
	return nil
}

// kubeconfigFiles returns the files to read, in order: the first file that defines a name wins.
func kubeconfigFiles(environ []string) []string {
	var files []string
	for _, f := range filepath.SplitList(getenv(environ, "KUBECONFIG")) {
		if f != "" {
			files = append(files, f)
		}
	}
	if len(files) > 0 {
		return files
	}
	home := getenv(environ, "HOME")
	if home == "" {
		home, _ = os.UserHomeDir()
	}
	return []string{filepath.Join(home, ".kube", "config")}
}

func noKubeconfig(files []string, raw *clientcmdapi.Config) error {
	e := &Error{Reason: NoConfig, Hint: "Set KUBECONFIG to the path of a kubeconfig, or create one, for example with `aws eks update-kubeconfig` or `gcloud container clusters get-credentials`."}
	var missing, empty []string
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			missing = append(missing, f)
		} else {
			empty = append(empty, f)
		}
	}
	switch {
	case len(empty) == 0:
		e.Text = "there is no kubeconfig: looked for " + strings.Join(missing, ", ")
	case len(missing) == 0:
		e.Text = "the kubeconfig names no cluster: " + strings.Join(empty, ", ")
	default:
		e.Text = "there is no kubeconfig that names a cluster: " + strings.Join(missing, ", ") + " (missing), " + strings.Join(empty, ", ") + " (empty)"
	}
	return e
}

// Contexts returns the names of the contexts of the kubeconfig, sorted. It is empty if there is none, or if it can't be read.
func Contexts(environ []string) []string {
	raw, err := (&clientcmd.ClientConfigLoadingRules{Precedence: kubeconfigFiles(environ)}).Load()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(raw.Contexts))
}

func noContext(text, name string, raw *clientcmdapi.Config) error {
	var names []string
	for n := range raw.Contexts {
		names = append(names, n)
	}
	e := &Error{Reason: NoContext, Text: text, Hint: "It has: " + list(names) + "."}
	if len(names) == 0 {
		e.Hint = "It has no contexts."
	}
	if near := nearest(name, names); near != "" {
		e.Text += "; did you mean " + quote(near) + "?"
	}
	return e
}

func getenv(environ []string, name string) string {
	for i := len(environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}
