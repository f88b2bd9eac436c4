package server

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

// idleAfter is how long a line waits with a buffer at hand for what comes.
const idleAfter = time.Second

// sendAhead is how much the kernel takes from a line before the client reads it,
// in bytes, where the kernel does not find that out by itself: each time that we
// have to wait for room is a change of context.
const sendAhead = 2 << 20

// moment is how long a line expects something to come before it goes to sleep.
var moment = 20 * time.Microsecond

// A line is a socket that is read and written as in C: whoever has to wait does
// so within the system call. The runtime's poller knows nothing of it. There
// each segment that arrives wakes another thread, also while the goroutine that
// reads is at work, and to wait takes three system calls more.
//
// It is a net.Conn for one reader and one writer at a time, without deadlines.
type line struct {
	net.Conn // what it was before, closed: for its addresses

	free func()
	out  iovec // scratch of the writer

	missed int // moments in a row in which nothing came
	rest   int // waits without such a moment

	use  sync.RWMutex // held for writing by who closes fd
	fd   int          // -1: closed
	once sync.Once
}

// newLine takes the socket of nc out of the poller and becomes its owner, or
// returns nil and leaves nc as it was. free is called when the line is closed.
func newLine(nc net.Conn, free func()) *line {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	l := &line{Conn: nc, fd: -1, free: free}
	err = raw.Control(func(fd uintptr) {
		l.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil || l.fd < 0 {
		return nil
	}
	l.tune()
	wait := unix.NsecToTimeval(idleAfter.Nanoseconds())
	if unix.SetsockoptTimeval(l.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait) != nil || unix.SetNonblock(l.fd, false) != nil {
		_ = unix.Close(l.fd)
		return nil
	}
	_ = nc.Close()
	return l
}

// tune sets what makes the socket faster, where it can be set: it is no harm if
// it can't.
func (l *line) tune() {
	switch nc := l.Conn.(type) {
	case *net.UnixConn:
		_ = unix.SetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendAhead)
	case *net.TCPConn:
		if peer, ok := nc.RemoteAddr().(*net.TCPAddr); ok && peer.IP.IsLoopback() {
			// There is no network to be congested: pacing, as with bbr, only delays.
			_ = unix.SetsockoptString(l.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno")
		}
	}
}

// receive calls try with the descriptor until it returns true. Where it returns
// false nothing has come for a while: it is called again when something has.
func (l *line) receive(try func(fd uintptr) bool) error {
	l.use.RLock()
	defer l.use.RUnlock()
	if l.fd < 0 {
		return net.ErrClosed
	}
	l.expect()
	for !try(uintptr(l.fd)) {
		come := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(come, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
	}
	return nil
}

// expect waits a moment for something to come without going to sleep: to wake
// it up would cost the peer, who is often about to send more, as much as the
// moment. Where nothing came, it is left out for a while. The processor is at
// the disposal of others meanwhile.
func (l *line) expect() {
	if l.rest > 0 {
		l.rest--
		return
	}
	if l.comes() {
		l.missed = 0
		return
	}
	l.missed = min(l.missed+1, maxRest)
	l.rest = 1 << l.missed
}

// soon reports whether something comes within a moment.
func (l *line) soon() bool {
	l.use.RLock()
	defer l.use.RUnlock()
	return l.fd >= 0 && l.comes()
}

func (l *line) comes() bool {
	come := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}
	for began := time.Now(); time.Since(began) < moment; {
		if n, err := unix.Poll(come, 0); n > 0 && err == nil {
			return true
		}
		_, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
	}
	return false
}

// Read reads once.
func (l *line) Read(b []byte) (n int, err error) {
	if closed := l.receive(func(fd uintptr) bool {
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

// Write writes all of b.
func (l *line) Write(b []byte) (int, error) {
	l.use.RLock()
	defer l.use.RUnlock()
	done := 0
	for done < len(b) {
		if l.fd < 0 {
			return done, net.ErrClosed
		}
		n, err := unix.Write(l.fd, b[done:])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return done, os.NewSyscallError("write", err)
		}
		done += max(n, 0)
	}
	return done, nil
}

// writeAll writes the parts, none of which is empty, with as few calls as can be.
func (l *line) writeAll(parts net.Buffers) error {
	l.use.RLock()
	defer l.use.RUnlock()
	for len(parts) > 0 {
		if l.fd < 0 {
			return net.ErrClosed
		}
		n, err := l.out.write(l.fd, parts)
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

// SetDeadline does nothing: whoever waits for a line waits for Close.
func (*line) SetDeadline(time.Time) error { return nil }

// Close wakes up who waits for the line, and closes it.
func (l *line) Close() error {
	l.once.Do(func() {
		if !l.use.TryLock() {
			_ = unix.Shutdown(l.fd, unix.SHUT_RDWR)
			l.use.Lock()
		}
		_ = unix.Close(l.fd)
		l.fd = -1
		l.use.Unlock()
		l.free()
	})
	return nil
}
