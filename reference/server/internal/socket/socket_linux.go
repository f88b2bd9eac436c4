package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// idleAfter is how long a receiver blocks before it is told that nothing has
// arrived, so that it can give back the buffer that it holds.
const idleAfter = time.Second

// sendBuffer is how much the kernel accepts before the client reads it, in
// bytes, where the kernel does not adjust that by itself: each wait for room is
// a change of context.
const sendBuffer = 2 << 20

// maxSkipped is the binary logarithm of how many times spinning is skipped, at
// most.
const maxSkipped = 10

// A Socket is a TCP or Unix socket that is read and written with blocking
// system calls. The runtime's poller would wake another thread for each segment
// that arrives, also while the goroutine that reads is at work, and waiting would
// take three system calls more.
//
// It is a net.Conn for one reader and one writer at a time, without deadlines:
// Close ends all waiting. Its addresses are those of the connection that it was
// made from.
type Socket struct {
	net.Conn // closed, for its addresses

	spin     time.Duration
	released func()
	out      Vector // scratch of the writer

	missed int // times in a row that spinning saw nothing arrive
	skip   int // receives without spinning

	use  sync.RWMutex // held for writing while fd is closed
	fd   int          // -1: closed
	once sync.Once
}

// Take takes the socket of nc out of the runtime's poller and closes nc, or
// returns nil and leaves nc as it was. Before a receive blocks, it polls for up
// to spin. released is called once, when the socket is closed.
func Take(nc net.Conn, spin time.Duration, released func()) *Socket {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	s := &Socket{Conn: nc, fd: -1, spin: spin, released: released}
	err = raw.Control(func(fd uintptr) {
		s.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil || s.fd < 0 {
		return nil
	}
	s.tune()
	wait := unix.NsecToTimeval(idleAfter.Nanoseconds())
	if unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait) != nil || unix.SetNonblock(s.fd, false) != nil {
		_ = unix.Close(s.fd)
		return nil
	}
	_ = nc.Close()
	return s
}

// tune sets the options that make the socket faster. Errors are ignored: the
// socket works without them.
func (s *Socket) tune() {
	switch nc := s.Conn.(type) {
	case *net.UnixConn:
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	case *net.TCPConn:
		if peer, ok := nc.RemoteAddr().(*net.TCPAddr); ok && peer.IP.IsLoopback() {
			// The loopback is never congested: pacing, as with bbr, only delays.
			_ = unix.SetsockoptString(s.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno")
		}
	}
}

// Receive calls try with the descriptor until it returns true. A try blocks for
// up to a second; where it returns false, nothing has arrived, and it is called
// again when something has. The error is net.ErrClosed after Close.
func (s *Socket) Receive(try func(fd uintptr) bool) error {
	s.use.RLock()
	defer s.use.RUnlock()
	if s.fd < 0 {
		return net.ErrClosed
	}
	s.spinAdaptively()
	for !try(uintptr(s.fd)) {
		events := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(events, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
	}
	return nil
}

// spinAdaptively polls for a short time before a receive blocks: waking a
// sleeping receiver costs a peer, which is often about to send more, as much as
// that. After it saw nothing arrive it is skipped, twice as many times each time
// in a row. Other threads may use the processor meanwhile.
func (s *Socket) spinAdaptively() {
	if s.skip > 0 {
		s.skip--
		return
	}
	if s.poll() {
		s.missed = 0
		return
	}
	s.missed = min(s.missed+1, maxSkipped)
	s.skip = 1 << s.missed
}

// Readable polls for up to the time given to Take, and reports whether there is
// something to receive.
func (s *Socket) Readable() bool {
	s.use.RLock()
	defer s.use.RUnlock()
	return s.fd >= 0 && s.poll()
}

func (s *Socket) poll() bool {
	events := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	for began := time.Now(); time.Since(began) < s.spin; {
		if n, err := unix.Poll(events, 0); n > 0 && err == nil {
			return true
		}
		_, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
	}
	return false
}

// Read receives once.
func (s *Socket) Read(b []byte) (n int, err error) {
	if closed := s.Receive(func(fd uintptr) bool {
		n, err = unix.Read(int(fd), b)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	}); closed != nil {
		return 0, closed
	}
	switch {
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write sends all of b.
func (s *Socket) Write(b []byte) (int, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	done := 0
	for done < len(b) {
		if s.fd < 0 {
			return done, net.ErrClosed
		}
		n, err := unix.Write(s.fd, b[done:])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return done, os.NewSyscallError("write", err)
		}
		done += max(n, 0)
	}
	return done, nil
}

// WriteAll sends the parts, none of which is empty, with as few system calls as
// possible. It changes the slice, and not the bytes.
func (s *Socket) WriteAll(parts net.Buffers) error {
	s.use.RLock()
	defer s.use.RUnlock()
	for len(parts) > 0 {
		if s.fd < 0 {
			return net.ErrClosed
		}
		n, err := s.out.Write(s.fd, parts)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("writev", err)
		}
		for n > 0 && n >= len(parts[0]) {
			n -= len(parts[0])
			parts = parts[1:]
		}
		if n > 0 {
			parts[0] = parts[0][n:]
		}
	}
	return nil
}

// SetDeadline does nothing: what waits for a Socket waits until Close.
func (*Socket) SetDeadline(time.Time) error { return nil }

// Close ends all waiting for the socket, with an error, and closes it. It may be
// called more than once.
func (s *Socket) Close() error {
	s.once.Do(func() {
		if !s.use.TryLock() {
			_ = unix.Shutdown(s.fd, unix.SHUT_RDWR)
			s.use.Lock()
		}
		_ = unix.Close(s.fd)
		s.fd = -1
		s.use.Unlock()
		s.released()
	})
	return nil
}
