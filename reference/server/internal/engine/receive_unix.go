//go:build unix

package engine

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"nbdconform/reference/server/internal/socket"
)

// A receiver reads from a socket, and asks for the place to put the bytes no
// sooner than some have arrived.
type receiver struct {
	wait func(try func(fd uintptr) bool) error // calls try until it returns true
	in   *input
	try  func(fd uintptr) bool // attempt, as a value that is made only once
	err  error                 // of the last attempt

	parts [][]byte      // filled before the input
	vec   socket.Vector // scratch
}

// newReceiver returns nil if nc is not a plain socket.
func newReceiver(nc net.Conn, blocking *socket.Socket, in *input) *receiver {
	r := &receiver{in: in}
	r.try = r.attempt
	if blocking != nil {
		r.wait = blocking.Receive
		return r
	}
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		raw, err := nc.(syscall.Conn).SyscallConn()
		if err != nil {
			return nil
		}
		r.wait = raw.Read
		return r
	}
	return nil
}

// scatter waits for bytes to arrive and puts them into the parts, and what does
// not fit there into the input. It returns the parts that are not filled.
func (r *receiver) scatter(parts [][]byte) ([][]byte, error) {
	r.parts = parts
	err := r.read()
	parts, r.parts = r.parts, nil
	return parts, err
}

// read waits for bytes to arrive and puts them into the input.
func (r *receiver) read() error {
	if err := r.wait(r.try); err != nil {
		return err
	}
	return r.err
}

// attempt reads once, and reports false if nothing has arrived.
func (r *receiver) attempt(fd uintptr) bool {
	n, err := r.receive(int(fd))
	for errors.Is(err, syscall.EINTR) {
		n, err = r.receive(int(fd))
	}
	switch {
	case errors.Is(err, syscall.EAGAIN):
		r.in.rest()
		return false
	case err != nil:
		r.err = os.NewSyscallError("read", err)
	case n == 0:
		r.err = io.EOF
	default:
		r.in.received(r.fill(n))
		r.err = nil
	}
	return true
}

func (r *receiver) receive(fd int) (int, error) {
	if len(r.parts) == 0 {
		return syscall.Read(fd, r.in.room())
	}
	return r.vec.Read(fd, r.parts, r.in.room())
}

// fill advances the parts by n bytes that were read. It returns how many of them
// are in the input.
func (r *receiver) fill(n int) int {
	for len(r.parts) > 0 && n >= len(r.parts[0]) {
		n -= len(r.parts[0])
		r.parts = r.parts[1:]
	}
	if len(r.parts) == 0 {
		return n
	}
	r.parts[0] = r.parts[0][n:]
	return 0
}
