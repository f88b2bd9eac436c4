package serverquirk

import (
	"bytes"
	"net"

	"nbdconform/reference/server"
)

// CrashOnHugeOption dies of an option that announces all the data in the world.
var CrashOnHugeOption = register(Quirk{
	Name: "crash-on-huge-option", Breaks: "baseline.server.fixed-newstyle",
	Doc: "closes all connections and listens no more when an option announces 0xffffffff bytes of data",
	Hooks: server.Hooks{Conn: func(s *server.Session, c net.Conn) net.Conn {
		return transport{Conn: c, read: func(b []byte) (int, error) {
			n, err := c.Read(b)
			if i := bytes.Index(b[:n], []byte("IHAVEOPT")); i >= 0 && i+16 <= n && bytes.Equal(b[i+12:i+16], []byte("\xff\xff\xff\xff")) {
				s.Crash()
			}
			return n, err
		}}
	}},
})
