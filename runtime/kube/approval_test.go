package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// annotate sets an annotation of the run's Job.
func (r *rig) annotate(name, value string) {
	kubetest.Update(r.api, "jobs", "run", func(j *batchv1.Job) { metav1.SetMetaDataAnnotation(&j.ObjectMeta, name, value) })
}

// hearing calls heard with each event that a coordinator prints.
type hearing struct {
	heard func(line string)
}

func (h hearing) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		h.heard(string(line))
	}
	return len(p), nil
}

// However often the coordinator dies while an approval waits, and whenever the answer comes, it is taken once, and no pod
// is made for it.
func TestApprovals(t *testing.T) {
	for seed := range 24 {
		inBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewSource(int64(seed)))
			ok := program.Step{
				Name: "ok", Outputs: []program.Output{{Name: "value", Type: "number"}}, Needs: []program.Need{{Step: "a", Kind: program.NeedOrder}},
				Approval: &program.Approval{Message: program.Value{Const: []byte(`"go?"`)}, Timeout: program.Duration(time.Hour)},
			}
			r := newRig(t, &program.Program{Steps: []program.Step{
				{Name: "a", Retry: program.Retry{Attempts: 1, Infrastructure: 2}}, ok,
				{Name: "b", Retry: program.Retry{Attempts: 1, Infrastructure: 2}, Needs: []program.Need{{Step: "ok", Kind: program.NeedOutput}}},
			}})
			r.api.Fault = faults(rnd, rnd.Intn(4), true)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			name := kube.AnnotationApprove + record.AnswerName("ok")
			var asked, warned atomic.Bool
			early, answers := rnd.Intn(4) == 0, make(chan string, 3)
			if early { // as when the definition of the Job has it
				asked.Store(true)
				r.annotate(name, `{"by":"eva","value":7}`)
			} else {
				answers <- `{"value":"x"}`
				answers <- `nonsense`
				answers <- `{"by":"eva","value":7}`
			}
			give := func() {
				if len(answers) > 0 {
					r.annotate(name, <-answers)
				}
			}
			out := hearing{func(line string) {
				if strings.Contains(line, `"type":"step_asks"`) && !asked.Swap(true) {
					go give()
				}
				if strings.Contains(line, "an answer that can't be taken") {
					warned.Store(true)
					go give()
				}
			}}
			for life := 0; ; life++ {
				s := &deadStore{Store: r.store}
				lived, die := context.WithCancel(ctx)
				if life < seed%4 {
					crash := rnd.Intn(2) == 0
					defer time.AfterFunc(time.Duration(rnd.Intn(80))*time.Millisecond, func() {
						s.dead.Store(crash)
						die()
					}).Stop()
				} else if asked.Load() { // an answer that the earlier coordinator received before it died
					time.AfterFunc(100*time.Millisecond, func() {
						for range cap(answers) {
							give()
						}
					})
				}
				end, err := r.coordinate(lived, s, "pod", out)
				die()
				if err == nil {
					r.approved(end)
					break
				}
				if ctx.Err() != nil || !errors.Is(err, ErrStopped) && !s.dead.Load() {
					t.Fatalf("life %d: %v", life, err)
				}
			}
			if !early && seed%4 == 0 && !warned.Load() {
				t.Error("an answer that can't be taken was not told of")
			}
		})
	}
}

func (r *rig) approved(end *record.End) {
	r.t.Helper()
	for _, s := range end.Steps {
		if s.Status != record.Succeeded {
			r.t.Errorf("%s ended %s: %s", s.Name, s.Status, s.Message)
		}
		if s.Name == "ok" && (s.Answer == nil || s.Answer.By != "eva" || len(s.Outputs) != 1 || string(s.Outputs[0].Value) != "7") {
			r.t.Errorf("ok ended %+v, answered %+v", s, s.Answer)
		}
	}
	if made := r.api.Made(); len(made) != 2 {
		r.t.Errorf("pods were made: %v", made)
	}
}
