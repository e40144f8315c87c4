package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
)

// connections is how many plain connections a coordinator is compared with.
const connections = 8

// plainJob is what a process is started with that creates pods plainly.
type plainJob struct {
	API  string
	Pod  json.RawMessage // a corev1.PodTemplateSpec
	Pods int
}

// createPlainly creates pods through plain connections, each as fast as the server answers. It prints how long that took.
func createPlainly(ctx context.Context, text string) error {
	var j plainJob
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	var template corev1.PodTemplateSpec
	if err := json.Unmarshal(j.Pod, &template); err != nil {
		return err
	}
	began := time.Now()
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range connections {
		c, err := connect(j.API)
		if err != nil {
			return err
		}
		g.Go(func() error {
			for {
				n := int(next.Add(1))
				if n > j.Pods {
					return nil
				}
				pod := &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: *template.Spec.DeepCopy()}
				pod.Name, pod.Labels[kube.LabelRunUID] = fmt.Sprintf("plain-%d", n), "plain"
				if _, err := c.CreatePod(ctx, pod); err != nil {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(time.Since(began))
}
