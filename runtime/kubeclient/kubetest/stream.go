package kubetest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// watch streams the events behind the version that the client knows, until the client or the test ends, or there is a fault.
func (a *API) watch(r *http.Request, resource string) *http.Response {
	initial := r.URL.Query().Get("sendInitialEvents") == "true"
	if initial && !a.WatchList {
		return a.fail(r, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "", field.ErrorList{
			field.Forbidden(field.NewPath("sendInitialEvents"), "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"),
		}))
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("timeoutSeconds"))
	return a.stream(r, func(w io.Writer, alive func() bool) error {
		over := false // the watch has lasted as long as the client has allowed
		if limit > 0 {
			defer time.AfterFunc(time.Duration(limit)*time.Second, func() {
				a.mu.Lock()
				defer a.mu.Unlock()
				over = true
				a.changed.Broadcast()
			}).Stop()
		}
		if initial {
			from = a.version
			if _, err := w.Write(a.initial(r, resource)); err != nil {
				return err
			}
		}
		if from < a.floor {
			a.floor = 0
			line := a.encode(map[string]any{"type": "ERROR", "object": metav1.Status{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Code: 410, Reason: "Expired", Message: fmt.Sprintf("too old resource version: %d (%d)", from, a.version),
			}})
			_, _ = w.Write(append(line, '\n'))
			return io.EOF
		}
		for next := 0; alive() && !over; {
			if next == len(a.events) {
				a.changed.Wait()
				continue
			}
			e := a.events[next]
			next++
			if e.version <= from || e.resource != resource || !selected(r, e.object) {
				continue
			}
			if _, err := w.Write(e.line); err != nil {
				return err
			}
			a.mu.Unlock()
			f := a.Fault(r)
			var lost error
			if f.Silent {
				lost = silence(r)
			}
			a.mu.Lock()
			if lost != nil {
				return lost
			}
			if f != (Fault{}) {
				return io.EOF
			}
		}
		return io.EOF
	})
}

// initial returns the events that a watch begins with: the objects that exist, and a bookmark. The caller must hold mu.
func (a *API) initial(r *http.Request, resource string) []byte {
	var out bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(a.objects)) {
		if o := a.objects[key]; strings.HasPrefix(key, resource+"/") && selected(r, o) {
			out.Write(a.encode(map[string]any{"type": "ADDED", "object": typed(o)}))
			out.WriteByte('\n')
		}
	}
	mark := map[string]Object{"pods": &corev1.Pod{}, "jobs": &batchv1.Job{}, "leases": &coordinationv1.Lease{}}[resource]
	mark.SetResourceVersion(strconv.Itoa(a.version))
	mark.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	out.Write(a.encode(map[string]any{"type": "BOOKMARK", "object": typed(mark)}))
	out.WriteByte('\n')
	return out.Bytes()
}

// podLog is what a pod has written.
type podLog struct {
	data  []byte
	ended bool
	cut   int // connections end here, once; 0: nowhere
}

// WriteLog adds to a pod's log. A log that has ended is not followed any more.
func (a *API) WriteLog(pod, text string, ended bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.log(pod)
	l.data, l.ended = append(l.data, text...), ended
	a.changed.Broadcast()
}

// NewLog begins a pod's log again, as for a container that was started again. If cut is not 0, a connection ends behind so
// many bytes, once.
func (a *API) NewLog(pod string, cut int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logs[pod] = &podLog{cut: cut}
}

// MostStreams returns how many logs were read at once at most.
func (a *API) MostStreams() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.most
}

func (a *API) log(pod string) *podLog {
	if a.logs[pod] == nil {
		a.logs[pod] = &podLog{}
	}
	return a.logs[pod]
}

// readLog streams a pod's log. The caller must hold mu.
func (a *API) readLog(r *http.Request, pod string) *http.Response {
	a.streams++
	a.most = max(a.most, a.streams)
	return a.stream(r, func(w io.Writer, alive func() bool) error {
		defer func() { a.streams-- }()
		for at := 0; alive(); {
			l := a.log(pod)
			if at >= len(l.data) {
				if l.ended || r.URL.Query().Get("follow") != "true" {
					return io.EOF
				}
				a.changed.Wait()
				continue
			}
			data, cut := l.data[at:], l.cut > 0 && l.cut < len(l.data)
			if cut {
				data, l.cut = l.data[at:max(at, l.cut)], 0
			}
			at += len(data)
			_, err := w.Write(data)
			if cut {
				return io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
		}
		return io.ErrUnexpectedEOF
	})
}

// stream answers with what write writes, beside the caller. write is called with mu held, which its writer releases while it
// writes.
func (a *API) stream(r *http.Request, write func(w io.Writer, alive func() bool) error) *http.Response {
	in, out := io.Pipe()
	done := make(chan struct{})
	a.work.Go(func() {
		select {
		case <-r.Context().Done():
			out.CloseWithError(r.Context().Err())
			a.mu.Lock()
			a.changed.Broadcast()
			a.mu.Unlock()
		case <-done:
		}
	})
	a.work.Go(func() {
		defer close(done)
		a.mu.Lock()
		defer a.mu.Unlock()
		err := write(unlocked{a, out}, func() bool { return r.Context().Err() == nil && !a.closed })
		_ = out.CloseWithError(err)
	})
	return response(r, 200, in)
}

// unlocked writes without the lock that its user holds.
type unlocked struct {
	a *API
	w io.Writer
}

func (u unlocked) Write(p []byte) (int, error) {
	u.a.mu.Unlock()
	defer u.a.mu.Lock()
	return u.w.Write(p)
}
