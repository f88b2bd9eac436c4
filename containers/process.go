package containers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nbdconform/conformance/subject"
)

// What stands in a command line for the place to listen at.
const (
	socketMark = "{socket}" // the path of a Unix socket
	portMark   = "{port}"   // a TCP port of 127.0.0.1
)

// socketPath is how long the path of a Unix socket can be, in bytes.
const socketPath = 107

// A process is an instance that is a child of ours.
type process struct {
	dir           string // a directory of its own, which goes when it goes
	network, addr string

	cmd    *exec.Cmd
	stderr tail
	done   chan struct{} // closed when it has ended and cmd.ProcessState is set
}

// startProcess runs argv, with the marks filled in, and waits for the
// greeting. The process works in workdir, or in its own directory if that is "".
func startProcess(ctx context.Context, argv []string, workdir string) (instance, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir, done: make(chan struct{})}
	if err := p.run(argv, workdir); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return started(ctx, p)
}

func (p *process) run(argv []string, workdir string) error {
	mark := func(m string) bool {
		return slices.ContainsFunc(argv, func(a string) bool { return strings.Contains(a, m) })
	}
	var port string
	switch {
	case mark(socketMark):
		p.network, p.addr = "unix", filepath.Join(p.dir, "s")
		if len(p.addr) > socketPath {
			return fmt.Errorf("the path of the socket %s has more than %d bytes: set TMPDIR to a shorter one", p.addr, socketPath)
		}
	case mark(portMark):
		var err error
		if port, err = freePort(); err != nil {
			return err
		}
		p.network, p.addr = "tcp", net.JoinHostPort("127.0.0.1", port)
	default:
		return fmt.Errorf("the command says neither %s nor %s: where would it listen?", socketMark, portMark)
	}
	fill := strings.NewReplacer(socketMark, p.addr, portMark, port)
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = fill.Replace(a)
	}
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Dir = cmp.Or(workdir, p.dir)
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = time.Second // for a grandchild that keeps stderr open
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // a Ctrl-C is for us to handle
		Pdeathsig: syscall.SIGTERM, // should we be killed
	}
	return p.spawn()
}

// spawn starts the command and leaves a goroutine waiting for its end. The
// kernel sends Pdeathsig when the thread dies that started the child, so that
// goroutine keeps its thread.
func (p *process) spawn() error {
	up := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		up <- err
		if err == nil {
			_ = p.cmd.Wait() // what it says is in ProcessState
			close(p.done)
		}
	}()
	return <-up
}

// freePort returns a TCP port of 127.0.0.1 that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

func (p *process) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, p.network, p.addr)
}

func (p *process) health(context.Context) subject.Health {
	select {
	case <-p.done:
		return subject.Health{State: subject.Exited, Exit: p.cmd.ProcessState.String(), Stderr: p.stderr.String()}
	default:
		return subject.Health{State: subject.Running, Stderr: p.stderr.String()}
	}
}

func (p *process) stop() error {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		// The group, since a server may have children of its own.
		err := syscall.Kill(-p.cmd.Process.Pid, sig)
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("sending %v: %w", sig, err)
		}
		select {
		case <-p.done:
			return os.RemoveAll(p.dir)
		case <-time.After(grace):
		}
	}
	return fmt.Errorf("process %d outlives SIGKILL", p.cmd.Process.Pid)
}

func (p *process) exec(ctx context.Context, argv []string) error {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir = p.cmd.Dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
