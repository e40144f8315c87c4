package remote

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// tick reports the waits that are due, and queries the cluster's events about those whose reason is unclear.
func (ws *waits) tick() {
	now := time.Now()
	for key, w := range ws.byKey {
		ws.report(w)
		if w.reason.unclear && w.kind != "" && now.Sub(w.since) > 2*reportAfter && now.Sub(w.queried) > queryEvery {
			w.queried = now
			kind, uid := w.kind, w.uid
			ws.loop.spawn(func() {
				text := ws.cluster.lastWarning(ws.loop.ctx, kind, uid)
				ws.loop.call(func() { ws.addWarning(key, text) })
			})
		}
	}
}

// addWarning adds a warning from the cluster's events to a wait.
func (ws *waits) addWarning(key, warning string) {
	if w := ws.byKey[key]; w != nil && warning != "" && w.warning != warning {
		w.warning, w.changed = warning, true
		ws.report(w)
	}
}

// harmless are the reasons of warnings that don't keep a pod from running.
var harmless = []string{"MissingClusterDNS", "DNSConfigForming"}

// lastWarning returns the newest warning about an object, and "" if there is none or the events can't be read.
func (c *Client) lastWarning(ctx context.Context, kind, uid string) string {
	list, err := c.client.ListEvents(ctx, kind, uid)
	if err != nil {
		return ""
	}
	var newest *corev1.Event
	for i := range list {
		e := &list[i]
		if e.Type == corev1.EventTypeWarning && !slices.Contains(harmless, e.Reason) && (newest == nil || eventTime(e).After(eventTime(newest))) {
			newest = e
		}
	}
	if newest == nil {
		return ""
	}
	return newest.Reason + ": " + oneLine(newest.Message)
}

func eventTime(e *corev1.Event) time.Time {
	if !e.LastTimestamp.IsZero() {
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}
