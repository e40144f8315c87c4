package remote

import (
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// TestAttemptPod: the pod of an attempt is found by its labels, also if the step's address is not a valid label.
func TestAttemptPod(t *testing.T) {
	api := kubetest.New(t)
	ids := []record.AttemptID{{Step: "a", Attempt: 1}, {Step: "a", Attempt: 2}, {Step: "part[1]", Attempt: 1}, {Step: `part["x/ü"]`, Attempt: 1}}
	for i, id := range ids {
		api.Put(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: "pod-" + strconv.Itoa(i), Namespace: "ml",
			Annotations: map[string]string{kube.AnnotationStep: id.Step},
			Labels: map[string]string{
				kube.LabelRunUID: "job-1", kube.LabelStep: kube.LabelValue(record.Address(id.Step).SafeName()), kube.LabelAttempt: strconv.Itoa(id.Attempt),
			},
		}})
	}
	c := fakeCluster(t, api)
	for i, id := range ids {
		p, err := c.attemptPod(t.Context(), "job-1", id)
		if err != nil || p == nil || p.Name != "pod-"+strconv.Itoa(i) {
			t.Errorf("%v: %v, %v", id, p, err)
		}
	}
	if p, err := c.attemptPod(t.Context(), "job-2", ids[0]); p != nil || err != nil {
		t.Errorf("of another run: %v, %v", p, err)
	}
}
