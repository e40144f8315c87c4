package kubetest

import (
	"errors"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Fault is how a request fails. The zero value is a request that doesn't.
type Fault struct {
	// Code, Reason and Message are answered without obeying the request, unless Code is 0. Without a reason, the answer is that
	// of the real API server.
	Code            int
	Reason, Message string
	// Reset ends the connection instead of answering.
	Reset bool
	// Obeyed says that the request is obeyed before the connection ends or falls silent.
	Obeyed bool
	// Silent never answers: the client waits until it finds the connection lost (LostAfter). A watch stays open, and delivers
	// nothing more.
	Silent bool
	// Delay is the time between obeying the request and answering it.
	Delay time.Duration
	// Expired makes a watch find that its version is too old: 410.
	Expired bool
}

// The faults of a server that is busy or broken, and of a network.
var (
	Busy    = Fault{Code: 429, Reason: "TooManyRequests", Message: "come again"}
	Broken  = Fault{Code: 500, Reason: "InternalError", Message: "broken"}
	Cut     = Fault{Reset: true}
	Lost    = Fault{Reset: true, Obeyed: true}
	Mute    = Fault{Silent: true, Obeyed: true}
	Hang    = Fault{Silent: true}
	Late    = Fault{Delay: 200 * time.Millisecond}
	Expired = Fault{Expired: true}
)

// Forbid returns faults for all requests to these resources; "pods/log" is one too.
func Forbid(resources ...string) func(*http.Request) Fault {
	return func(r *http.Request) Fault {
		t := targetOf(r)
		for _, resource := range resources {
			if resource == t.resource || resource == t.resource+"/"+t.sub {
				return Fault{Code: 403, Reason: "Forbidden", Message: resource + " is forbidden"}
			}
		}
		return Fault{}
	}
}

var errReset = errors.New("connection reset by peer")

// RoundTrip answers a request of a client.
func (a *API) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.Latency > 0 && !pause(r, a.Latency) {
		return nil, r.Context().Err()
	}
	f := a.Fault(r)
	switch {
	case f.Code != 0 && f.Reason == "":
		return a.fail(r, Failure(r, f.Code, a.Username)), nil
	case f.Code != 0:
		answer := a.failure(r, f.Code, f.Reason, f.Message)
		if f.Code == 429 {
			answer.Header.Set("Retry-After", "0")
		}
		return answer, nil
	case f.Reset && !f.Obeyed:
		return nil, errReset
	case f.Silent && !f.Obeyed:
		return nil, silence(r)
	case f.Expired && isWatch(r):
		a.mu.Lock()
		a.floor = a.version + 1
		a.mu.Unlock()
	}
	if f.Obeyed && isWatch(r) {
		if f.Silent {
			return nil, silence(r)
		}
		return nil, errReset
	}
	answer := a.serve(r)
	switch {
	case f.Silent:
		_ = answer.Body.Close()
		return nil, silence(r)
	case f.Reset:
		return nil, errReset
	case f.Delay > 0 && !pause(r, f.Delay):
		return nil, r.Context().Err()
	}
	return answer, nil
}

// silence waits until the client finds its connection lost, and returns what it finds.
func silence(r *http.Request) error {
	if !pause(r, LostAfter) {
		return r.Context().Err()
	}
	return errLost
}

// pause waits, and reports whether the client has waited as long.
func pause(r *http.Request, wait time.Duration) bool {
	select {
	case <-time.After(wait):
		return true
	case <-r.Context().Done():
		return false
	}
}

func (a *API) failure(r *http.Request, code int, reason, message string) *http.Response {
	return a.answer(r, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Code: int32(code), Reason: metav1.StatusReason(reason), Message: message,
	})
}
