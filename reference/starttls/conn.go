package starttls

import (
	"context"
	"errors"
	"net"
)

// ErrNoGnuTLS is why there are neither pre-shared keys nor TLS without
// authentication: crypto/tls has none of its own, and the library that has
// them is not there.
var ErrNoGnuTLS = errors.New("it needs GnuTLS, which is not to be had")

// A Server is the server's side of TLS.
type Server interface {
	// Upgrade does the handshake on nc. It returns early if ctx ends. After an
	// error nc is of no use, and still the caller's to close.
	Upgrade(ctx context.Context, nc net.Conn) (Conn, error)
}

// A Client is the client's side of TLS.
type Client interface {
	// Upgrade does the handshake on nc. It returns early if ctx ends. After an
	// error nc is of no use, and still the caller's to close.
	Upgrade(ctx context.Context, nc net.Conn) (Conn, error)
}

// A Conn is a connection within TLS. One goroutine may read while another
// writes; a write that missed its deadline leaves a connection on which
// nothing can be written any more. Close shuts TLS down and closes the
// connection underneath.
type Conn interface {
	net.Conn
	// CloseWrite shuts this side of TLS down: it sends close_notify, and ends
	// this direction of the connection underneath if that can be.
	CloseWrite() error
	// Notified reports whether the peer shut its side of TLS down, by
	// close_notify. A connection that ended without it may have been cut.
	Notified() bool
	// NetConn is the connection underneath.
	NetConn() net.Conn
	// Protocol is the version of TLS, such as "TLS 1.3".
	Protocol() string
}

// halfCloser is what TCP and Unix connections can do.
type halfCloser interface{ CloseWrite() error }

// endWriting ends one direction of nc, if nc can.
func endWriting(nc net.Conn) error {
	if h, ok := nc.(halfCloser); ok {
		return h.CloseWrite()
	}
	return nil
}
