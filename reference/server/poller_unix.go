//go:build unix

package server

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// A poller reads from a socket, and asks for the place to put it no sooner
// than something has come.
type poller struct {
	raw syscall.RawConn
	in  *inbox
	try func(fd uintptr) bool // attempt, as a value that is made only once
	err error                 // of the last attempt
}

// newPoller returns nil if nc is not a plain socket.
func newPoller(nc net.Conn, in *inbox) *poller {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	p := &poller{raw: raw, in: in}
	p.try = p.attempt
	return p
}

// read waits for something to come and puts it into the inbox.
func (p *poller) read() error {
	if err := p.raw.Read(p.try); err != nil {
		return err
	}
	return p.err
}

// attempt reads without waiting, and reports whether that is all.
func (p *poller) attempt(fd uintptr) bool {
	room := p.in.room()
	n, err := syscall.Read(int(fd), room)
	for errors.Is(err, syscall.EINTR) {
		n, err = syscall.Read(int(fd), room)
	}
	switch {
	case errors.Is(err, syscall.EAGAIN):
		p.in.rest()
		return false
	case err != nil:
		p.err = os.NewSyscallError("read", err)
	case n == 0:
		p.err = io.EOF
	default:
		p.in.came(n)
		p.err = nil
	}
	return true
}
