//go:build !linux

package socket

import (
	"net"
	"time"
)

// A Socket does not exist here.
type Socket struct{ net.Conn }

// Take returns nil: connections stay with the runtime's poller.
func Take(net.Conn, time.Duration, func()) *Socket { return nil }

// Receive is not reached.
func (*Socket) Receive(func(fd uintptr) bool) error { return net.ErrClosed }

// Readable is not reached.
func (*Socket) Readable() bool { return false }

// WriteAll is not reached.
func (*Socket) WriteAll(net.Buffers) error { return net.ErrClosed }
