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

// Facts are the properties of a cluster that a definition depends on.
type Facts struct {
	Version string // of the API server, for example v1.37.2
	// Nodes is the number of nodes that were examined; 0 if listing nodes is not allowed.
	Nodes int
	// Without describes a node whose container runtime doesn't support image volumes; "" if no such node is known.
	Without string
}

// someNodes is how many nodes are examined, because the nodes of a cluster are usually the same.
const someNodes = 200

// imageVolumesFrom are the first versions of container runtimes that mount images.
var imageVolumesFrom = map[string]string{"containerd": "v2.1.0", "cri-o": "v1.31.0"}

// Ask reads the facts from the cluster.
func Ask(ctx context.Context, cluster *connect.Connection) (Facts, error) {
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

// mountsImages reports whether a container runtime, such as "containerd://2.4.0", mounts images. Unknown runtimes are
// assumed to.
func mountsImages(runtime string) bool {
	name, version, _ := strings.Cut(runtime, "://")
	from := imageVolumesFrom[name]
	v := "v" + strings.TrimPrefix(version, "v")
	return from == "" || !semver.IsValid(v) || semver.Compare(v, from) >= 0
}

// serverVersion returns the version of the API server. Every user may read it, but invalid credentials give an error.
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

// imageVolumesOn is the first version of Kubernetes in which image volumes are always enabled.
const imageVolumesOn = "v1.36.0"

func imageVolumes(version string) bool {
	v, _, _ := strings.Cut(version, "-") // v1.36.1-eks-5d4a308 is not a pre-release
	return semver.Compare(v, imageVolumesOn) >= 0
}
