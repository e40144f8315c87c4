// Package kubernetes writes a bound program as objects of Kubernetes: a pipeline's definition, which starts nothing by
// itself unless it has a schedule, and a run, which is a Job made of it. There is no controller and no resource of
// pipec's own: what comes out is what kubectl takes.
//
// It reads no file and talks to no cluster. The pods of the steps are in the program (schema/kube/pod makes them); here
// is what carries the program there and runs its coordinator.
package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"pipec.dev/pipec/schema/program"
)

// Definition makes the objects of a pipeline's definition, in the order in which they are to be created: service
// accounts, rights, the program, the CronJob. The program must be bound (it has a Target). The same program gives the same
// objects. The namespace is not among them; see Namespace.
func Definition(p *program.Program) ([]unstructured.Unstructured, error) {
	if p.Target == nil {
		return nil, fmt.Errorf("pipeline %q is not bound to a cluster", p.Pipeline)
	}
	parts, err := split(p)
	if err != nil {
		return nil, err
	}
	objects := []any{coordinatorAccount(p), stepsAccount(p), role(p), roleBinding(p)}
	for i := range parts.data {
		objects = append(objects, parts.configMap(p, i))
	}
	return all(append(objects, cronJob(p, parts))...)
}

// Namespace is the namespace of the program's stack, for stacks that say create_namespace. It carries no labels of
// pipec's: it isn't the pipeline's to prune.
func Namespace(p *program.Program) (unstructured.Unstructured, error) {
	return object(namespace(p))
}

// all makes plain objects of typed ones.
func all(typed ...any) ([]unstructured.Unstructured, error) {
	out := make([]unstructured.Unstructured, len(typed))
	for i, t := range typed {
		var err error
		if out[i], err = object(t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// object makes a plain object of a typed one, without the fields that only a cluster fills.
func object(typed any) (unstructured.Unstructured, error) {
	data, err := json.Marshal(typed)
	if err != nil {
		return unstructured.Unstructured{}, err
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(data); err != nil {
		return u, err
	}
	delete(u.Object, "status")
	return u, nil
}

// YAML writes objects as one stream of documents. Keys are sorted: the same objects give the same bytes.
func YAML(objects []unstructured.Unstructured) ([]byte, error) {
	var b bytes.Buffer
	for i := range objects {
		data, err := yaml.Marshal(objects[i].Object)
		if err != nil {
			return nil, err
		}
		b.WriteString("---\n")
		b.Write(data)
	}
	return b.Bytes(), nil
}
