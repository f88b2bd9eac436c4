package nbduri

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Address is what [net.Dial] takes to reach the server: "tcp" and
// "localhost:10809", "unix" and a path. For vsock it is "vsock" and cid:port,
// which net.Dial does not know.
func (u URI) Address() (network, address string) {
	port := u.Port
	if port == 0 {
		port = DefaultPort
	}
	host := u.Host
	switch u.Transport {
	case Unix:
		if strings.HasPrefix(u.Socket, "@") {
			return "unix", "./" + u.Socket // package net takes a leading @ for an abstract name
		}
		return "unix", u.Socket
	case Vsock:
		if host == "" {
			host = DefaultCID
		}
	default:
		if host == "" {
			host = DefaultHost
		}
	}
	return u.Transport.String(), net.JoinHostPort(host, strconv.FormatUint(uint64(port), 10))
}

// Dial connects to the server, with Nagle's algorithm off. The caller closes
// the connection. It is in the clear even where the URI requires TLS: that
// begins within the protocol, see [URI.StartTLS]. Where the machine has no
// vsock the error is [errors.ErrUnsupported].
func (u URI) Dial(ctx context.Context) (net.Conn, error) {
	if u.Transport == Vsock {
		return u.dialVsock(ctx)
	}
	network, address := u.Address()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("dialling %v: %w", u, UnixError(u.Socket, err))
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetNoDelay(true); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("dialling %v: switching off Nagle's algorithm: %w", u, err)
		}
	}
	return conn, nil
}
