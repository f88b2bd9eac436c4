package client

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// Ended reports whether err says that the peer ended the connection, orderly
// or with a reset, between messages or within one.
func Ended(err error) bool { return ended(err) || errors.Is(err, io.ErrUnexpectedEOF) }

func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}
