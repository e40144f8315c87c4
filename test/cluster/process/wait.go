package process

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// Wait calls ready again and again until it returns nil, because none of the programs reports when it is ready. It returns
// early if the program has ended. The error contains the last answer and the end of the program's log.
func (p Program) Wait(ctx context.Context, patience time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if !p.Alive() {
			return fmt.Errorf("%s has ended\n%s", p.Name, p.tail())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", p.Name, err, p.tail())
		case <-tick.C:
		}
	}
}

// tail returns the last lines of the log, with where it is.
func (p Program) tail() string {
	const most = 20
	data, err := os.ReadFile(p.Log())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	lines = lines[max(0, len(lines)-most):]
	return fmt.Sprintf("  the end of %s:\n    %s", p.Log(), strings.Join(lines, "\n    "))
}
