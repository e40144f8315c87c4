package definitions

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/emit/kubernetes"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// Emitted are pipelines as objects of Kubernetes.
type Emitted struct {
	Objects []unstructured.Unstructured
	Stack   *program.Stack
	Missing []pod.Missing // what must be pushed before a run
	// AnyVersion says that the cluster's version is not known, so that the objects are written for any.
	AnyVersion bool
}

// Emit writes the pipelines named, or all, as objects; with run, a run of each too. It reads the project and its lock, and
// asks no cluster and no registry.
func (d *Definitions) Emit(pipelines []string, run bool) (*Emitted, error) {
	c, err := d.Checked()
	if err != nil {
		return nil, err
	}
	stack, err := d.stack(c, "write for it")
	if err != nil {
		return nil, err
	}
	programs, err := c.Pipelines(pipelines)
	if err != nil {
		return nil, err
	}
	lock, err := d.Lock()
	if err != nil {
		return nil, err
	}
	bound, missing, err := bind(programs, stack, lock, pod.Options{})
	if err != nil {
		return nil, err
	}
	objects, err := objects(bound, run)
	if err != nil {
		return nil, fault.Env(err)
	}
	any := stack.Orchestrator.Version == "" && lock.Clusters[stack.Name].Version == ""
	return &Emitted{Objects: objects, Stack: stack, Missing: missing, AnyVersion: any}, nil
}

// objects are those of all programs: the namespace comes first if the stack creates it.
func objects(programs []*program.Program, run bool) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	for i, p := range programs {
		if i == 0 && p.Target.CreateNamespace {
			ns, err := kubernetes.Namespace(p)
			if err != nil {
				return nil, err
			}
			out = append(out, ns)
		}
		objects, err := kubernetes.Definition(p)
		if err != nil {
			return nil, err
		}
		out = append(out, objects...)
		if run {
			job, err := kubernetes.Job(p)
			if err != nil {
				return nil, err
			}
			out = append(out, job)
		}
	}
	return out, nil
}
