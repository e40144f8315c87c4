package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queue is how the requests of a priority level have waited in the queues of API Priority and Fairness.
type queue struct {
	waited   time.Duration // all together
	requests float64
	rejected float64
}

// queues are the queues by the name of their priority level.
type queues map[string]queue

// metric matches a line of the server's metrics.
var metric = regexp.MustCompile(`^apiserver_flowcontrol_(request_wait_duration_seconds_sum|request_wait_duration_seconds_count|rejected_requests_total)\{.*priority_level="([^"]+)".*\} (\S+)$`)

// queues reads the metrics of the server.
func (w *world) queues(ctx context.Context) (queues, error) {
	data, err := w.api.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	out := queues{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := metric.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return nil, err
		}
		q := out[m[2]]
		switch m[1] {
		case "request_wait_duration_seconds_sum":
			q.waited += time.Duration(value * float64(time.Second))
		case "request_wait_duration_seconds_count":
			q.requests += value
		default:
			q.rejected += value
		}
		out[m[2]] = q
	}
	return out, lines.Err()
}

// since returns what has happened since an earlier state.
func (q queues) since(before queues) queues {
	out := queues{}
	for level, now := range q {
		was := before[level]
		if now.requests > was.requests || now.rejected > was.rejected {
			out[level] = queue{now.waited - was.waited, now.requests - was.requests, now.rejected - was.rejected}
		}
	}
	return out
}

// mean returns how long a request has waited on average.
func (q queue) mean() time.Duration {
	if q.requests == 0 {
		return 0
	}
	return time.Duration(float64(q.waited) / q.requests)
}

func (q queues) String() string {
	var out []string
	for _, level := range slices.Sorted(maps.Keys(q)) {
		if q[level].requests > 0 {
			out = append(out, fmt.Sprintf("%s %s", level, q[level].mean().Round(10*time.Microsecond)))
		}
	}
	return strings.Join(out, ", ")
}
