package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/containers"
	"nbdconform/containers/internal/program"
	"nbdconform/reports/matrix"
)

// A Request says which program to open.
type Request struct {
	Program  string
	Provider string       // containers.Container, which is the default, or containers.Local
	Release  string       // Debian release for a container; the default release if ""
	Progress func(string) // is told about steps that take seconds; may be nil
}

// A runner runs command lines.
type runner interface {
	// run runs argv to its end, or to that of ctx.
	run(ctx context.Context, argv []string) (subject.Report, error)
	close() error
}

// client is a program and where it runs.
type client struct {
	runner
	program Program
	id      subject.Identity
	dir     string
	once    sync.Once
	closed  error
}

func (c *client) Identity() subject.Identity { return c.id }
func (c *client) Dir() string                { return c.dir }

func (c *client) Can(a subject.Operation, t subject.TLS) bool {
	if t != subject.NoTLS && !program.Version(c.id.Version).AtLeast(c.program.SecureSince) {
		return false
	}
	return c.program.Can(a, t)
}

func (c *client) Do(ctx context.Context, t subject.Task) (subject.Report, error) {
	return c.run(ctx, c.program.Argv(t))
}

func (c *client) Close() error {
	c.once.Do(func() { c.closed = errors.Join(c.close(), os.RemoveAll(c.dir)) })
	return c.closed
}

// Open finds a program and gets ready to run it. The caller closes it.
func Open(ctx context.Context, r Request) (subject.Client, error) {
	p, err := Find(r.Program)
	if err != nil {
		return nil, err
	}
	switch r.Provider {
	case "", containers.Container:
		return openContainer(ctx, p, r)
	case containers.Local:
	default:
		return nil, fmt.Errorf("unknown provider %q: use one of %s, %s", r.Provider, containers.Container, containers.Local)
	}
	if _, err := exec.LookPath(p.binary()); err != nil {
		return nil, fmt.Errorf("%s is not on PATH: apt-get install %s", p.binary(), p.Package)
	}
	dir, err := newDir()
	if err != nil {
		return nil, err
	}
	id := subject.Identity{Name: matrix.ClientPrefix + p.Name, Provider: containers.Local, Version: string(program.Installed(ctx, p.Package))}
	return &client{runner: childRunner{dir}, program: p, id: id, dir: dir}, nil
}

// Command makes a client of any command line, which does the operation with
// what stands in it for parts of a task: {uri} or {socket}, and {file} for what
// copies.
func Command(argv []string, operation subject.Operation) (subject.Client, error) {
	if len(argv) == 0 {
		return nil, errors.New("running a client: the command is empty")
	}
	has := func(mark string) bool {
		return slices.ContainsFunc(argv, func(a string) bool { return strings.Contains(a, mark) })
	}
	if !has(uriMark) && !has(serverMark) && !has(socketMark) {
		return nil, fmt.Errorf("the command says none of %s, %s and %s: where would it connect?", uriMark, serverMark, socketMark)
	}
	if needs := operation == subject.CopyIn || operation == subject.CopyOut || operation == subject.Compare; needs && !has(fileMark) {
		return nil, fmt.Errorf("the command does not say %s: what would it %s?", fileMark, operation)
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, fmt.Errorf("running a client: %w", err)
	}
	dir, err := newDir()
	if err != nil {
		return nil, err
	}
	name := filepath.Base(argv[0])
	p := Program{Name: name, Commands: map[subject.Operation][]string{operation: argv}}
	id := subject.Identity{Name: matrix.ClientPrefix + name, Provider: containers.Local, Command: argv}
	return &client{runner: childRunner{"."}, program: p, id: id, dir: dir}, nil
}

// newDir makes a directory whose path leaves room for a socket.
func newDir() (string, error) {
	dir, err := os.MkdirTemp("", "nbdc")
	if err == nil {
		err = os.Chmod(dir, 0o777) // #nosec: a program in a container may be another user
	}
	return dir, err
}

// childRunner runs programs as child processes in a directory.
type childRunner struct{ dir string }

func (h childRunner) close() error { return nil }

func (h childRunner) run(ctx context.Context, argv []string) (subject.Report, error) {
	r := subject.Report{Argv: argv}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.dir, &stdout, &stderr
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	r.Stdout, r.Stderr = tail(stdout.String()), tail(stderr.String())
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		r.Hung, r.Exit = true, "killed"
	case err == nil:
	case errors.As(err, &exit):
		r.Exit = exit.String()
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signal() > 0 {
			r.Killed = s.Signal().String()
		}
	default:
		return r, fmt.Errorf("running %s: %w", argv[0], err)
	}
	return r, nil
}

// tail is the end of a text, at most 64 KiB.
func tail(s string) string { return s[max(0, len(s)-64<<10):] }
