package containers

import (
	"net"
	"syscall"
)

// quickAck makes conn acknowledge at once whatever it receives. Servers before
// TCP_NODELAY was usual hold a second small message back until the first is
// acknowledged, which else takes 40 ms each time.
func quickAck(conn net.Conn) net.Conn {
	t, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return conn
	}
	return &quickAckConn{TCPConn: t, raw: raw}
}

type quickAckConn struct {
	*net.TCPConn
	raw syscall.RawConn
}

// Read reads, and asks for quick acknowledgements anew: the system forgets.
func (c *quickAckConn) Read(p []byte) (int, error) {
	_ = c.raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
	return c.TCPConn.Read(p)
}
