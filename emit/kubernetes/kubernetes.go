// Package kubernetes writes a bound program as Kubernetes objects: a pipeline's definition, which starts runs only if
// it has a schedule, and a run, which is a Job. pipec has no controller and no custom resources: kubectl can apply the
// output.
//
// It reads no files and makes no requests to a cluster. The program contains the pods of the steps (schema/kube/pod
// creates them); this package writes the objects that store the program and run its coordinator.
package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// Definition returns the objects of a pipeline's definition, in the order of creation: service accounts, roles, the
// program, the CronJob. The program must be bound (have a Target). The same program gives the same objects. The
// namespace is not included; see Namespace.
func Definition(p *program.Program) ([]unstructured.Unstructured, error) {
	return DefinitionWith(p, kinds.Builtin())
}

// Options define what to write in addition to the definitions, and contain the table of kinds.
type Options struct {
	Run   bool       // also write a run of each program, as a Job
	Kinds *kinds.Set // nil: kinds.Builtin()
}

// Objects returns the objects of bound programs of one stack: the namespace first, if the stack creates it, and then the
// definition of each program.
func Objects(programs []*program.Program, o Options) ([]unstructured.Unstructured, error) {
	if o.Kinds == nil {
		o.Kinds = kinds.Builtin()
	}
	var out []unstructured.Unstructured
	for i, p := range programs {
		objects, err := DefinitionWith(p, o.Kinds)
		if err != nil {
			return nil, err
		}
		if i == 0 && p.Target.CreateNamespace {
			ns, err := Namespace(p)
			if err != nil {
				return nil, err
			}
			out = append(out, ns)
		}
		out = append(out, objects...)
		if o.Run {
			job, err := Job(p)
			if err != nil {
				return nil, err
			}
			out = append(out, job)
		}
	}
	return out, nil
}

// FileName returns the name of the file that an object is written to by itself.
func FileName(o *unstructured.Unstructured) string {
	return strings.ToLower(o.GetKind()) + "-" + o.GetName() + ".yaml"
}

// DefinitionWith is like Definition, for a program that was compiled with the given kinds.
func DefinitionWith(p *program.Program, set *kinds.Set) ([]unstructured.Unstructured, error) {
	if p.Target == nil {
		return nil, fmt.Errorf("pipeline %q is not bound to a cluster", p.Pipeline)
	}
	parts, err := split(p)
	if err != nil {
		return nil, err
	}
	jobs, err := cronJobs(p, parts)
	if err != nil {
		return nil, err
	}
	var objects []any
	if p.Target.Coordinator.Account() == "" {
		objects = append(objects, coordinatorAccount(p, set), stepsAccount(p, set), role(p), roleBinding(p))
	} else {
		objects = append(objects, stepsAccount(p, set))
	}
	for i := range parts.data {
		objects = append(objects, parts.configMap(p, i))
	}
	for _, job := range jobs {
		objects = append(objects, job)
	}
	return all(objects...)
}

// Namespace returns the namespace of the program's stack, for stacks with create_namespace. It has no labels of pipec,
// because the pipeline must not prune it.
func Namespace(p *program.Program) (unstructured.Unstructured, error) {
	return object(namespace(p))
}

// all converts typed objects to unstructured ones.
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

// object converts a typed object to an unstructured one, without the fields that only a cluster sets.
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

// YAML writes objects as a stream of documents. Keys are sorted, so that the same objects give the same bytes.
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
