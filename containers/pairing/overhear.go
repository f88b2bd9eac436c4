package pairing

import (
	"context"
	"os"
	"path/filepath"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/target"
)

// Overhear has a client do a task at any server, and says what was heard and
// how it ended. What comes of it is not checked.
func Overhear(ctx context.Context, c *Client, t target.Target, task caller.Task) (Heard, caller.Report, error) {
	dir, err := os.MkdirTemp(c.Dir(), "o")
	if err != nil {
		return Heard{}, caller.Report{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o777); err != nil { // #nosec: a program in a container may be another user
		return Heard{}, caller.Report{}, err
	}
	task.Server.Socket, task.File = filepath.Join(dir, "s"), filepath.Join(dir, "file")
	task.Offset, task.Length = rangeOffset, rangeLength
	if task.Activity == caller.CopyIn {
		data := (&Server{}).next()
		if err := os.WriteFile(task.File, data, 0o644); err != nil { // #nosec: as above
			return Heard{}, caller.Report{}, err
		}
	}
	tap, err := listen(ctx, task.Server.Socket, t.Profile().Dialect, t.Dial)
	if err != nil {
		return Heard{}, caller.Report{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := c.Do(bounded, task)
	return tap.close(), r, err
}
