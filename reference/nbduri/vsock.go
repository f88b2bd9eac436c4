package nbduri

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"syscall"

	"github.com/mdlayher/vsock"
)

func (u URI) dialVsock(ctx context.Context) (net.Conn, error) {
	_, address := u.Address()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialling %v: %w", u, err)
	}
	cid, err1 := strconv.ParseUint(host, 10, 32)
	number, err2 := strconv.ParseUint(port, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("dialling %v: %w", u, err)
	}
	conn, err := vsock.DialContext(ctx, uint32(cid), uint32(number), nil)
	if err != nil {
		return nil, VsockError("dialling "+u.String(), unanswered(uint32(cid), err))
	}
	return conn, nil
}

// unanswered is err, and where to look when nobody answers at this machine's
// own address, where a server would refuse at once.
func unanswered(cid uint32, err error) error {
	silent := errors.Is(err, syscall.ETIMEDOUT) || errors.Is(err, context.DeadlineExceeded)
	if cid == vsock.Local && silent {
		return fmt.Errorf("%w (the loopback of vsock needs the kernel module vsock_loopback)", err)
	}
	return err
}

// VsockError is err, and [errors.ErrUnsupported] with the reason where the
// machine has no vsock at all.
func VsockError(doing string, err error) error {
	if runtime.GOOS != "linux" || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.ENODEV) {
		return fmt.Errorf("%s: this machine has no vsock (%w): %w", doing, err, errors.ErrUnsupported)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
