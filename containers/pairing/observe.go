package pairing

import (
	"context"
	"os"
	"path/filepath"

	"nbdconform/conformance/subject"
)

// Observe has a client do a task at any server, and returns what was observed and
// how the program ended. Whether the result is right is not checked.
func Observe(ctx context.Context, c *Client, t subject.Server, task subject.Task) (Observed, subject.Report, error) {
	dir, err := os.MkdirTemp(c.Dir(), "o")
	if err != nil {
		return Observed{}, subject.Report{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o777); err != nil { // #nosec: a program in a container may be another user
		return Observed{}, subject.Report{}, err
	}
	task.Server.Socket, task.File = filepath.Join(dir, "s"), filepath.Join(dir, "file")
	task.Offset, task.Length = rangeOffset, rangeLength
	if task.Operation == subject.CopyIn {
		data := (&Server{}).newImage()
		if err := os.WriteFile(task.File, data, 0o644); err != nil { // #nosec: as above
			return Observed{}, subject.Report{}, err
		}
	}
	p, err := listen(ctx, task.Server.Socket, t.Profile().Dialect, t.Dial)
	if err != nil {
		return Observed{}, subject.Report{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := c.Do(bounded, task)
	return p.close(), r, err
}
