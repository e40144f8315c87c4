package apiserver

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a program that runs beside the test.
type process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed when it has ended
}

// start starts a program that writes to a log. The program dies with this process.
func start(log string, argv ...string) (*process, error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &process{cmd: exec.Command(argv[0], argv[1:]...), log: log, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.SysProcAttr = sysProcAttr()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) dead() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// stop asks the program to end, and kills it if it doesn't.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	<-p.ended
	kill.Stop()
}
