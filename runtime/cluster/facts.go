package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/mod/semver"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"pipec.dev/pipec/runtime/cluster/connect"
)

// Facts are what a definition depends on of the cluster itself.
type Facts struct {
	Version string // of the API server: v1.37.2
	// Nodes is how many nodes were looked at; 0 where they may not be listed.
	Nodes int
	// Without is a node whose container runtime has no image volumes, and which that is; "" where none is known.
	Without string
}

// someNodes is how many nodes are looked at: those of a cluster are alike.
const someNodes = 200

// imageVolumesFrom are the first versions of container runtimes that mount images.
var imageVolumesFrom = map[string]string{"containerd": "v2.1.0", "cri-o": "v1.31.0"}

// Ask asks the cluster for them.
func Ask(ctx context.Context, cluster *connect.Cluster) (Facts, error) {
	var f Facts
	c, err := newClient(cluster)
	if err != nil {
		return f, err
	}
	if f.Version, err = c.serverVersion(ctx); err != nil {
		return f, err
	}
	list, err := c.objects.Resource(schema.GroupVersionResource{Version: "v1", Resource: "nodes"}).List(ctx, metav1.ListOptions{Limit: someNodes})
	if apierrors.IsForbidden(err) {
		return f, nil
	}
	if err != nil {
		return f, cluster.Explain(err)
	}
	f.Nodes = len(list.Items)
	for i := range list.Items {
		r, _, _ := unstructured.NestedString(list.Items[i].Object, "status", "nodeInfo", "containerRuntimeVersion")
		if !mountsImages(r) {
			f.Without = fmt.Sprintf("%s (%s)", list.Items[i].GetName(), r)
			break
		}
	}
	return f, nil
}

// mountsImages reads "containerd://2.4.0". Runtimes that aren't known are taken to be able to.
func mountsImages(runtime string) bool {
	name, version, _ := strings.Cut(runtime, "://")
	from := imageVolumesFrom[name]
	v := "v" + strings.TrimPrefix(version, "v")
	return from == "" || !semver.IsValid(v) || semver.Compare(v, from) >= 0
}

// serverVersion is the API server's. Everybody may ask, but who can't log in gets an error.
func (c *client) serverVersion(ctx context.Context) (string, error) {
	data, err := c.raw.Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return "", c.cluster.Explain(err)
	}
	var v struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(data, &v); err != nil || v.GitVersion == "" {
		return "", &connect.Error{Reason: connect.Unreachable, Text: fmt.Sprintf("the server at %s is not a Kubernetes API server", c.cluster.Host), Err: err}
	}
	return v.GitVersion, nil
}

// imageVolumesOn is the first version of Kubernetes that has image volumes switched on for certain.
const imageVolumesOn = "v1.36.0"

func imageVolumes(version string) bool {
	v, _, _ := strings.Cut(version, "-") // v1.36.1-eks-5d4a308 is no pre-release
	return semver.Compare(v, imageVolumesOn) >= 0
}
