package runs

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Hold takes a directory for reports, which it makes, for this program alone:
// of two that write into one each would lose what the other found. The caller
// releases it. The end of the program does so too.
func Hold(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("making report directory: %w", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening report directory: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		_ = f.Close()
		return nil, fmt.Errorf("%s is in use by another nbdconform: wait for its end, or name another directory", dir)
	} // where a file system has no locks, nothing is held
	return func() {
		_ = os.Remove(dir) // if nothing came of it
		_ = f.Close()
	}, nil
}
