package process

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// shell starts a shell's script that prints a line once it is set up.
func shell(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestEnd(t *testing.T) {
	for _, test := range []struct {
		name, script string
		patience     time.Duration
		want         string // how it ended
	}{
		{"asked, it ends", "trap 'exit 7' TERM; echo; while :; do sleep 0.01; done", time.Minute, "exit status 7"},
		{"deaf, it is killed", "trap '' TERM; echo; while :; do sleep 0.01; done", 50 * time.Millisecond, "signal: killed"},
		{"not asked, it is killed", "trap 'exit 7' TERM; echo; while :; do sleep 0.01; done", 0, "signal: killed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := shell(t, test.script)
			if err := end(cmd.Process.Pid, test.patience); err != nil {
				t.Fatal(err)
			}
			if _, err := startTime(cmd.Process.Pid); err == nil {
				t.Error("it is there after its end")
			}
			if err := cmd.Wait(); err == nil || err.Error() != test.want {
				t.Errorf("it ended with %v, want %s", err, test.want)
			}
			if err := end(cmd.Process.Pid, time.Second); err != nil {
				t.Errorf("ending one that is gone: %v", err)
			}
		})
	}
}

// A process's name may look like the rest of its line.
func TestStartTime(t *testing.T) {
	odd := t.TempDir() + "/a) Z 1 (b"
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(odd, data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(odd, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	odds, err := startTime(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	own, err := startTime(os.Getpid())
	if err != nil || strings.Trim(own+odds, "0123456789") != "" || len(odds) < len(own) {
		t.Errorf("own start %q, its child's %q, %v", own, odds, err)
	}
}
