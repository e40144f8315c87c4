package bridge

import (
	"encoding/json"
	"net/http"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/test/faults/world"
)

const (
	core         = "/api/v1/namespaces/"
	batch        = "/apis/batch/v1/namespaces/"
	coordination = "/apis/coordination.k8s.io/v1/namespaces/"
)

func (s *Server) pods() string { return core + s.namespace + "/pods" }
func (s *Server) jobs() string { return batch + s.namespace + "/jobs" }

// all returns the path of all objects of a resource.
func (s *Server) all(resource string) string {
	switch resource {
	case "jobs":
		return s.jobs()
	case "leases":
		return coordination + s.namespace + "/leases"
	}
	return s.pods()
}

// template is what the real server requires of a pod.
var template = corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "main", Image: "busybox"}}}

// Put implements world.Server: it creates a Job, or a pod of a coordinator.
func (s *Server) Put(o kubetest.Object) types.UID {
	path := s.pods()
	switch o := o.(type) {
	case *batchv1.Job:
		o.TypeMeta, o.Spec.Template.Spec = metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}, template
		path = s.jobs()
	case *corev1.Pod:
		o.TypeMeta, o.Spec = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, template
	}
	o.SetNamespace("")
	answer := s.b.send(request{method: http.MethodPost, path: path, contentType: "application/json", body: encode(o)})
	var made struct{ Metadata metav1.ObjectMeta }
	if err := json.Unmarshal(answer.body, &made); err != nil || answer.code >= 300 {
		s.t.Errorf("%s is not created: %d %v: %s", o.GetName(), answer.code, answer.err, answer.body)
	}
	s.settle(path)
	if p, ok := o.(*corev1.Pod); ok {
		status := p.Status
		s.UpdatePod(p.Name, func(p *corev1.Pod) { p.Spec.NodeName, p.Status = "node", status })
	}
	return made.Metadata.UID
}

// Remove implements world.Server.
func (s *Server) Remove(resource, name string) {
	s.remove(s.all(resource)+"/"+name, `{"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,"propagationPolicy":"Background"}`)
}

// DeletePod implements world.Server.
func (s *Server) DeletePod(name string) { s.remove(s.pods()+"/"+name, "") }

func (s *Server) remove(path, options string) {
	q := request{method: http.MethodDelete, path: path, body: []byte(options)}
	if options != "" {
		q.contentType = "application/json"
	}
	answer := s.b.send(q)
	if answer.err != nil || answer.code >= 300 && answer.code != http.StatusNotFound {
		s.t.Errorf("DELETE %s: %d %v: %s", path, answer.code, answer.err, answer.body)
	}
	s.settle(path)
}

// Pod implements world.Server.
func (s *Server) Pod(name string) (*corev1.Pod, bool) {
	answer := s.b.send(request{method: http.MethodGet, path: s.pods() + "/" + name})
	if answer.err != nil || answer.code >= 300 {
		return nil, false
	}
	var p corev1.Pod
	if err := json.Unmarshal(answer.body, &p); err != nil {
		s.t.Error(err)
	}
	return &p, true
}

// UpdatePod implements world.Server: it binds the pod to a node, and writes its status.
func (s *Server) UpdatePod(name string, change func(*corev1.Pod)) bool {
	for {
		p, ok := s.Pod(name)
		if !ok {
			return false
		}
		was := *p.DeepCopy()
		change(p)
		if p.Spec.NodeName != was.Spec.NodeName {
			s.bind(name, p.Spec.NodeName)
			if now, ok := s.Pod(name); ok {
				p.ResourceVersion = now.ResourceVersion
			}
		}
		p.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
		answer := s.b.send(request{method: http.MethodPut, path: s.pods() + "/" + name + "/status", contentType: "application/json", body: encode(p)})
		switch {
		case answer.code == http.StatusConflict: // it was changed meanwhile
			continue
		case answer.code == http.StatusNotFound:
			return false
		case answer.err != nil || answer.code >= 300:
			s.t.Errorf("the status of %s: %d %v: %s", name, answer.code, answer.err, answer.body)
		}
		s.settle(s.pods())
		return true
	}
}

func (s *Server) bind(pod, node string) {
	s.b.send(request{method: http.MethodPost, path: s.pods() + "/" + pod + "/binding", contentType: "application/json", body: encode(&corev1.Binding{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Binding"}, ObjectMeta: metav1.ObjectMeta{Name: pod},
		Target: corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: node},
	})})
}

// AnnotateJob implements world.Server.
func (s *Server) AnnotateJob(job, name, value string) {
	patch := encode(map[string]any{"metadata": map[string]any{"annotations": map[string]string{name: value}}})
	answer := s.b.send(request{method: http.MethodPatch, path: s.jobs() + "/" + job, contentType: "application/merge-patch+json", body: patch})
	if answer.err != nil || answer.code >= 300 && answer.code != http.StatusNotFound {
		s.t.Errorf("the Job %s: %d %v: %s", job, answer.code, answer.err, answer.body)
	}
	s.settle(s.jobs())
}

// FinishJob implements world.Server.
func (s *Server) FinishJob(job string, succeeded bool) {
	path := s.jobs() + "/" + job
	for {
		answer := s.b.send(request{method: http.MethodGet, path: path})
		if answer.code == http.StatusNotFound {
			return
		}
		var j batchv1.Job
		if err := json.Unmarshal(answer.body, &j); err != nil || answer.code >= 300 {
			s.t.Errorf("GET %s: %d %v: %s", path, answer.code, answer.err, answer.body)
			return
		}
		world.Finish(&j, succeeded)
		answer = s.b.send(request{method: http.MethodPut, path: path + "/status", contentType: "application/json", body: encode(&j)})
		switch {
		case answer.code == http.StatusConflict: // it was changed meanwhile
			continue
		case answer.err != nil || answer.code >= 300 && answer.code != http.StatusNotFound:
			s.t.Errorf("the status of %s: %d %v: %s", path, answer.code, answer.err, answer.body)
		}
		s.settle(s.jobs())
		return
	}
}
