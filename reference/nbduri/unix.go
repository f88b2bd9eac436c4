package nbduri

import (
	"errors"
	"fmt"
	"syscall"
)

// UnixError says what is the matter with the path of a socket that is too long:
// the system just calls it invalid. Other errors stay as they are.
func UnixError(path string, err error) error {
	const shortest = 100 // limit of the systems that there are
	if errors.Is(err, syscall.EINVAL) && len(path) > shortest {
		return fmt.Errorf("%w: the path has %d bytes, and that of a socket can't have much more than %d", err, len(path), shortest)
	}
	return err
}
