package images

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock keeps other processes of this user from building the same image at the
// same time. The kernel lets go of it when the process dies.
func lock(ctx context.Context, release string) (unlock func(), err error) {
	name := filepath.Join(os.TempDir(), fmt.Sprintf("nbdconform-image-%s-%d.lock", release, os.Getuid()))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the image build: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			f.Close()
			return nil, fmt.Errorf("locking the image build: %w", err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for another build of the image: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
