package serverquirk

import (
	"errors"
	"io"
	"net"

	"nbdconform/reference/server"
)

// CrashOnClientGone dies of a client that leaves during the handshake.
var CrashOnClientGone = register(Quirk{
	Name: "crash-on-client-gone", Breaks: "baseline.server.fixed-newstyle",
	Doc: "closes all connections and listens no more when a client that has sent something leaves during the handshake",
	Hooks: server.Hooks{Conn: func(s *server.Session, c net.Conn) net.Conn {
		said := 0
		return transport{Conn: c, read: func(b []byte) (int, error) {
			n, err := c.Read(b)
			if said += n; errors.Is(err, io.EOF) && said > 0 && s.Export == nil {
				s.Crash()
			}
			return n, err
		}, write: func(b []byte) (int, error) {
			n, err := c.Write(b)
			if err != nil && s.Export == nil {
				s.Crash()
			}
			return n, err
		}}
	}},
})
