package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// Stdio is the connection of a server that was started for one client: a
// socket on standard input, or a pipe there and another on standard output.
// The files are used up.
func Stdio(in, out *os.File) (net.Conn, error) {
	from, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	switch from.Mode() & (os.ModeSocket | os.ModeNamedPipe) {
	case os.ModeSocket:
		return fileConn(in)
	case os.ModeNamedPipe:
	default:
		return nil, errors.New("standard input is neither a socket nor a pipe: start the server from its client")
	}
	to, err := out.Stat()
	if err != nil {
		return nil, fmt.Errorf("standard output: %w", err)
	}
	if to.Mode()&(os.ModeSocket|os.ModeNamedPipe) == 0 {
		return nil, errors.New("standard output is neither a socket nor a pipe: start the server from its client")
	}
	p := &pair{}
	if p.in, err = polled(in); err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	if p.out, err = polled(out); err != nil {
		_ = p.in.Close()
		return nil, fmt.Errorf("standard output: %w", err)
	}
	return p, nil
}

// fileConn makes a connection of a socket, whose file stays open.
func fileConn(f *os.File) (net.Conn, error) {
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("making a connection of %s: %w", f.Name(), err)
	}
	return c, nil
}

// polled duplicates a file in the way that makes deadlines work, and closes it.
func polled(f *os.File) (*os.File, error) {
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	_ = f.Close()
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// A pair is a connection of two pipes.
type pair struct{ in, out *os.File }

func (p *pair) Read(b []byte) (int, error)  { return p.in.Read(b) }
func (p *pair) Write(b []byte) (int, error) { return p.out.Write(b) }
func (p *pair) Close() error                { return errors.Join(p.in.Close(), p.out.Close()) }

func (p *pair) LocalAddr() net.Addr  { return stdioAddr{} }
func (p *pair) RemoteAddr() net.Addr { return stdioAddr{} }

func (p *pair) SetDeadline(t time.Time) error {
	return errors.Join(p.in.SetDeadline(t), p.out.SetDeadline(t))
}
func (p *pair) SetReadDeadline(t time.Time) error  { return p.in.SetReadDeadline(t) }
func (p *pair) SetWriteDeadline(t time.Time) error { return p.out.SetWriteDeadline(t) }

type stdioAddr struct{}

func (stdioAddr) Network() string { return "stdio" }
func (stdioAddr) String() string  { return "stdio" }
