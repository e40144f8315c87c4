package cluster

import (
	"context"
	"encoding/base64"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"pipec.dev/pipec/runtime/cluster/connect"
)

// Secret reads the values of a Secret of the namespace, with the user's own rights.
func Secret(ctx context.Context, cluster *connect.Connection, name string) (map[string]string, error) {
	c, err := newClient(cluster)
	if err != nil {
		return nil, err
	}
	u, err := c.objects.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(c.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, cluster.Explain(err)
	}
	data, _, err := unstructured.NestedStringMap(u.Object, "data")
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(data))
	for key, text := range data {
		value, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("the value of %s in the Secret %s is not base64", key, name)
		}
		out[key] = string(value)
	}
	return out, nil
}
