package requests

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestRetry: for how long a request is repeated depends on its error. An error that passes and another one that is denied
// don't add up.
func TestRetry(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	denied, busy := apierrors.NewForbidden(pods, "p", errors.New("no")), apierrors.NewTooManyRequests("busy", 0)
	for what, c := range map[string]struct {
		answer    func(time.Duration) error
		low, high time.Duration
		fails     bool
	}{
		"none":            {func(time.Duration) error { return nil }, 0, 0, false},
		"final":           {func(time.Duration) error { return apierrors.NewNotFound(pods, "p") }, 0, 0, true},
		"denied":          {func(time.Duration) error { return denied }, DeniedGrace, DeniedGrace + 30*time.Second, true},
		"unauthorized":    {func(time.Duration) error { return apierrors.NewUnauthorized("no") }, DeniedGrace, DeniedGrace + 30*time.Second, true},
		"denied a moment": {until(denied, 40*time.Second), 40 * time.Second, 70 * time.Second, false},
		"busy":            {until(busy, time.Hour), time.Hour, time.Hour + 30*time.Second, false},
		"no answer":       {until(errors.New("reset"), time.Hour), time.Hour, time.Hour + 30*time.Second, false},
		"denied twice": {func(at time.Duration) error {
			switch {
			case at < 40*time.Second, at > 80*time.Second && at < 120*time.Second:
				return denied
			case at <= 80*time.Second:
				return busy
			}
			return nil
		}, 2 * time.Minute, 150 * time.Second, false},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				err := New(0).Retry(t.Context(), "test", func(context.Context) error { return c.answer(time.Since(begun)) })
				if took := time.Since(begun); (err != nil) != c.fails || took < c.low || took > c.high {
					t.Errorf("after %s: %v", took, err)
				}
			})
		})
	}
}

// until returns answers that are an error for a while.
func until(err error, end time.Duration) func(time.Duration) error {
	return func(at time.Duration) error {
		if at < end {
			return err
		}
		return nil
	}
}
