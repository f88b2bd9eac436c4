package engine

import (
	"net"
	"sync"
	"syscall"
	"time"

	"nbdconform/reference/starttls"
)

// A Transport is what a connection runs over. It may be replaced: by TLS, or by
// a socket with blocking system calls. All methods may be called from several
// goroutines.
type Transport struct {
	mu   sync.Mutex
	nc   net.Conn
	once sync.Once
	done chan struct{}

	writing sync.Mutex // held by Write, for all of its bytes
}

// NewTransport returns a transport over nc, and owns nc.
func NewTransport(nc net.Conn) *Transport { return &Transport{nc: nc, done: make(chan struct{})} }

// Conn returns what the transport is at present.
func (t *Transport) Conn() net.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.nc
}

// Replace makes nc the transport. It does not close what was there before, on
// which nc may be built. After Close it closes nc and returns net.ErrClosed.
func (t *Transport) Replace(nc net.Conn) error {
	t.mu.Lock()
	select {
	case <-t.done:
	default:
		t.nc = nc
		t.mu.Unlock()
		return nil
	}
	t.mu.Unlock()
	_ = nc.Close()
	return net.ErrClosed
}

// Done is closed when the transport is.
func (t *Transport) Done() <-chan struct{} { return t.done }

// Close closes the transport, TLS with its closing message. It may be called
// more than once; only the first call waits.
func (t *Transport) Close() {
	t.once.Do(func() {
		t.mu.Lock()
		nc := t.nc
		close(t.done)
		t.mu.Unlock()
		_ = nc.Close()
	})
}

// Reset closes the transport at once, by a TCP reset if it is TCP.
func (t *Transport) Reset() {
	s := underTLS(t.Conn())
	if tcp, ok := s.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = s.Close()
	t.Close()
}

// SetDeadline sets the time after which reading and writing fail; zero: never.
func (t *Transport) SetDeadline(deadline time.Time) error { return t.Conn().SetDeadline(deadline) }

// Write sends b as it is, and waits for pace after each byte if that is
// positive. Several calls do not mix their bytes.
func (t *Transport) Write(b []byte, pace time.Duration) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	if pace <= 0 {
		if len(b) == 0 {
			return nil
		}
		_, err := t.Conn().Write(b)
		return err
	}
	for i := range b {
		if _, err := t.Conn().Write(b[i : i+1]); err != nil {
			return err
		}
		t.Sleep(pace)
	}
	return nil
}

// Sleep waits for d, or until the transport is closed.
func (t *Transport) Sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.done:
	}
}

// Buffers reports whether there is a kernel's socket below, which takes replies
// while the peer is still sending. On a net.Pipe each side waits for the other.
func (t *Transport) Buffers() bool {
	_, ok := underTLS(t.Conn()).(syscall.Conn)
	return ok
}

// underTLS is the connection that TLS runs over, or nc itself.
func underTLS(nc net.Conn) net.Conn {
	if t, ok := nc.(starttls.Conn); ok {
		return t.NetConn()
	}
	return nc
}
