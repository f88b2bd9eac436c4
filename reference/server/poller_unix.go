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
	wait func(try func(fd uintptr) bool) error // tries until that returns true
	in   *inbox
	try  func(fd uintptr) bool // attempt, as a value that is made only once
	err  error                 // of the last attempt

	parts [][]byte // that come before the inbox
	iov   iovec    // scratch
}

// newPoller returns nil if nc is not a plain socket.
func newPoller(nc net.Conn, in *inbox) *poller {
	p := &poller{in: in}
	p.try = p.attempt
	switch nc := nc.(type) {
	case *line:
		p.wait = nc.receive
	case *net.TCPConn, *net.UnixConn:
		raw, err := nc.(syscall.Conn).SyscallConn()
		if err != nil {
			return nil
		}
		p.wait = raw.Read
	default:
		return nil
	}
	return p
}

// scatter waits for something to come and puts it into the parts, and what is
// left of it into the inbox. It returns the parts that are not filled.
func (p *poller) scatter(parts [][]byte) ([][]byte, error) {
	p.parts = parts
	err := p.read()
	parts, p.parts = p.parts, nil
	return parts, err
}

// read waits for something to come and puts it into the inbox.
func (p *poller) read() error {
	if err := p.wait(p.try); err != nil {
		return err
	}
	return p.err
}

// attempt reads without waiting, and reports whether that is all.
func (p *poller) attempt(fd uintptr) bool {
	n, err := p.receive(int(fd))
	for errors.Is(err, syscall.EINTR) {
		n, err = p.receive(int(fd))
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
		p.in.came(p.fill(n))
		p.err = nil
	}
	return true
}

// receive reads once.
func (p *poller) receive(fd int) (int, error) {
	if len(p.parts) == 0 {
		return syscall.Read(fd, p.in.room())
	}
	return p.iov.read(fd, p.parts, p.in.room())
}

// fill says that n bytes came. It returns how many of them are behind the parts.
func (p *poller) fill(n int) int {
	for len(p.parts) > 0 && n >= len(p.parts[0]) {
		n -= len(p.parts[0])
		p.parts = p.parts[1:]
	}
	if len(p.parts) == 0 {
		return n
	}
	p.parts[0] = p.parts[0][n:]
	return 0
}
