package supervise

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Limits bound how long a child may say nothing.
type Limits struct {
	Silence time.Duration // until a child counts as stuck, and is killed
	Grace   time.Duration // likewise, for one that was interrupted
}

// Interrupted is how a child ended that the user interrupted.
const Interrupted = "interrupted"

// maxOutput is how much of a child's standard error counts, from its end, in bytes.
const maxOutput = 8 << 10

// A Child is a child process.
type Child struct {
	cmd    *exec.Cmd
	stdin  io.Closer // whose end tells the child that we are gone
	events io.ReadCloser
	stderr strings.Builder
	killed string // why we ended it, or ""
}

// Start starts a child with more variables in its environment.
func Start(argv, env []string) (*Child, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &Child{cmd: exec.Command(argv[0], argv[1:]...), events: read}
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.ExtraFiles = []*os.File{write}
	c.cmd.Stderr = &c.stderr
	c.stdin, err = c.cmd.StdinPipe()
	if err == nil {
		// An interrupt from the terminal reaches the parent alone, which passes it on once.
		c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		err = c.cmd.Start()
	}
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return nil, fmt.Errorf("starting the run: %w", err)
	}
	return c, nil
}

// Each calls f with every event of the child until there are no more. It ends
// a child when ctx ends, when the child is stuck, and when the child says what
// is no event. f is called by one goroutine at a time.
func Each[E any](ctx context.Context, c *Child, l Limits, f func(E)) {
	if killed := each(ctx, c.events, process{c.cmd.Process}, l, f); killed != "" {
		c.killed = killed
	}
}

// A stopper ends a process.
type stopper interface {
	interrupt()
	kill()
}

type process struct{ *os.Process }

func (p process) interrupt() { _ = p.Signal(syscall.SIGTERM) }
func (p process) kill()      { _ = p.Kill() }

// each is Each with what a child is to it. It returns why it ended the child,
// or "".
func each[E any](ctx context.Context, events io.Reader, child stopper, l Limits, f func(E)) (killed string) {
	said, bad := make(chan E), make(chan error, 1)
	go func() {
		defer close(said)
		in := bufio.NewReader(events)
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			var e E
			if err := json.Unmarshal(line, &e); err != nil {
				bad <- err
				_, _ = io.Copy(io.Discard, in)
				return
			}
			said <- e
		}
	}()
	interrupted, limit := ctx.Done(), l.Silence
	silence := time.NewTimer(l.Silence)
	defer silence.Stop()
	for {
		select {
		case e, ok := <-said:
			if !ok {
				return killed
			}
			f(e)
			silence.Reset(limit)
		case err := <-bad:
			if killed == "" {
				killed = fmt.Sprintf("the child said what is no event: %v", err)
			}
			child.kill()
		case <-interrupted:
			interrupted = nil
			if killed == "" {
				killed = Interrupted
			}
			child.interrupt()
			limit = l.Grace
			silence.Reset(limit)
		case <-silence.C:
			if killed == "" {
				killed = fmt.Sprintf("stuck for %v", l.Silence)
			}
			child.kill()
		}
	}
}

// Wait waits for the child and says how it ended, or "" if it ended well. It is
// for after Each.
func (c *Child) Wait() string {
	err := c.cmd.Wait()
	_ = c.events.Close()
	text := strings.TrimSpace(c.stderr.String())
	if len(text) > maxOutput {
		text = text[len(text)-maxOutput:]
	}
	switch {
	case c.killed != "":
		return c.killed
	case err != nil:
		return strings.TrimSpace(err.Error() + "\n" + text)
	}
	return ""
}

// Ended says why the parent ended the child, or "" where it did not.
func (c *Child) Ended() string { return c.killed }
