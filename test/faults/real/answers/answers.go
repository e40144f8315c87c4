// Package answers sends the requests that coordinators and commands send, right and wrong ones, to an API server or an S3
// server, and records the answers in a form that is the same for each server of the kind: without times, UIDs and versions.
//
// It is used on real servers, to record golden files, and on the models of the simulation, which are compared with them.
package answers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Answer is what a server answers to one request.
type Answer struct {
	Case    string `json:"case"`
	Request string `json:"request"`
	Code    int    `json:"code"`
	// Body is a Status, or what Object keeps of an object; Events are those of a watch.
	Body   any     `json:"body,omitempty"`
	Events []Event `json:"events,omitempty"`
	// Header is the part of the header that clients of the S3 server read.
	Header map[string]string `json:"header,omitempty"`
}

// Event is an event of a watch. Mark says that a bookmark ends the initial events.
type Event struct {
	Type   string `json:"type"`
	Object any    `json:"object"`
	Mark   bool   `json:"mark,omitempty"`
}

// status is the part of a metav1.Status that clients read.
type status struct {
	Status  string                `json:"status"`
	Reason  metav1.StatusReason   `json:"reason,omitempty"`
	Code    int32                 `json:"code"`
	Message string                `json:"message,omitempty"`
	Details *metav1.StatusDetails `json:"details,omitempty"`
}

// object is the part of an object or a list that clients read.
type object struct {
	APIVersion string   `json:"apiVersion,omitempty"`
	Kind       string   `json:"kind,omitempty"`
	Name       string   `json:"name,omitempty"`
	Set        []string `json:"set,omitempty"` // fields of the metadata that the server has set
	Grace      *int64   `json:"grace,omitempty"`
	Phase      string   `json:"phase,omitempty"`
	Holder     string   `json:"holder,omitempty"`
	Note       string   `json:"note,omitempty"`
	Items      []string `json:"items,omitempty"`
	Continue   bool     `json:"continue,omitempty"`
	Remaining  *int64   `json:"remaining,omitempty"`
}

// uid matches UIDs of the real server and of the model; resVer matches versions in messages.
var (
	uid    = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\buid-[0-9]+\b`)
	number = regexp.MustCompile(`[0-9]+`)
	resVer = regexp.MustCompile(`too old resource version: [0-9]+ \([0-9]+\)|the ResourceVersion in (the precondition|record) \([0-9]+\)`)
)

// plain returns a message without UIDs, versions and the namespace.
func (s *session) plain(text string) string {
	for _, in := range []string{"namespace ", `namespace "`, "/leases/"} {
		text = strings.ReplaceAll(text, in+s.Namespace, in+"NS")
	}
	text = uid.ReplaceAllString(text, "UID")
	return resVer.ReplaceAllStringFunc(text, func(s string) string { return number.ReplaceAllString(s, "N") })
}

// reduce returns what clients read of a body in JSON.
func (s *session) reduce(body []byte) any {
	var kind metav1.TypeMeta
	if err := json.Unmarshal(body, &kind); err != nil {
		return fmt.Sprintf("%d bytes that are not JSON", len(body))
	}
	if kind.Kind == "Status" {
		return s.reduceStatus(body)
	}
	return reduceObject(body)
}

func (s *session) reduceStatus(body []byte) any {
	var full metav1.Status
	if err := json.Unmarshal(body, &full); err != nil {
		return err.Error()
	}
	out := status{Status: full.Status, Reason: full.Reason, Code: full.Code, Message: s.plain(full.Message), Details: full.Details}
	if d := out.Details; d != nil {
		if d.UID != "" {
			d.UID = "UID"
		}
		for i := range d.Causes {
			d.Causes[i].Message = s.plain(d.Causes[i].Message)
		}
	}
	return out
}

// full is what is read of an object to reduce it.
type full struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		metav1.ObjectMeta
		Continue  string `json:"continue"`
		Remaining *int64 `json:"remainingItemCount"`
	} `json:"metadata"`
	Spec struct {
		HolderIdentity string `json:"holderIdentity"`
	} `json:"spec"`
	Status struct {
		Phase string `json:"phase"`
	} `json:"status"`
	Items []struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
	} `json:"items"`
}

func reduceObject(body []byte) any {
	var f full
	if err := json.Unmarshal(body, &f); err != nil {
		return err.Error()
	}
	m := f.Metadata
	out := object{
		APIVersion: f.APIVersion, Kind: f.Kind, Name: m.Name, Grace: m.DeletionGracePeriodSeconds, Phase: f.Status.Phase, Holder: f.Spec.HolderIdentity,
		Note: m.Annotations["note"], Continue: m.Continue != "", Remaining: m.Remaining,
	}
	for _, field := range []struct {
		name string
		set  bool
	}{{"uid", m.UID != ""}, {"resourceVersion", m.ResourceVersion != ""}, {"creationTimestamp", !m.CreationTimestamp.IsZero()}, {"deletionTimestamp", m.DeletionTimestamp != nil}} {
		if field.set {
			out.Set = append(out.Set, field.name)
		}
	}
	for i := range f.Items {
		out.Items = append(out.Items, f.Items[i].Metadata.Name)
	}
	return out
}

// watchLimit is how long an event of a watch is waited for.
const watchLimit = 2 * time.Minute

// readEvents reads events until there are n, or until the stream ends.
func (s *session) readEvents(body io.Reader, n int) []Event {
	var out []Event
	for d := json.NewDecoder(body); len(out) < n; {
		var e struct {
			Type   string
			Object json.RawMessage
		}
		if d.Decode(&e) != nil {
			break
		}
		out = append(out, Event{Type: e.Type, Object: s.reduce(e.Object), Mark: bytes.Contains(e.Object, []byte(metav1.InitialEventsAnnotationKey))})
	}
	return out
}

// path returns the path of a request as the golden files have it.
func path(r *http.Request, namespace string) string {
	out := strings.Replace(r.URL.Path, "/namespaces/"+namespace+"/", "/namespaces/NS/", 1)
	if q := r.URL.Query(); len(q) > 0 {
		for name, value := range map[string]string{"resourceVersion": "N", "continue": "TOKEN"} {
			if q.Get(name) != "" {
				q.Set(name, value)
			}
		}
		out += "?" + q.Encode()
	}
	return out
}
