//go:build !linux

package server

import "net"

// A line does not exist here: connections stay with the runtime's poller.
type line struct{ net.Conn }

func newLine(net.Conn, func()) *line { return nil }

func (*line) receive(func(fd uintptr) bool) error { return net.ErrClosed }

func (*line) soon() bool { return false }

func (*line) writeAll(net.Buffers) error { return net.ErrClosed }
