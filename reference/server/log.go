package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"

	"nbdconform/reference/wire"
)

// Config.Log gets the beginning of each connection, the export that it enters, and
// its end; at slog.LevelDebug each request too.

func (s *Server) log(msg string, args ...any) {
	if s.cfg.Log != nil {
		s.cfg.Log.Info(msg, args...)
	}
}

func (c *conn) logBegin(nc net.Conn) {
	c.srv.log("connection", "id", c.ID, "remote", nc.RemoteAddr())
}

func (c *conn) logEnd(err error) {
	switch {
	case err == nil:
		c.srv.log("disconnected", "id", c.ID, "requests", c.requests)
	case errors.Is(err, io.EOF):
		c.srv.log("gone without a disconnect", "id", c.ID, "requests", c.requests)
	default:
		c.srv.log("ended", "id", c.ID, "requests", c.requests, "error", err)
	}
}

func (c *conn) logTransmission() {
	if c.srv.cfg.Log == nil {
		return
	}
	replies := "simple"
	if c.Extended {
		replies = "extended"
	} else if c.Structured {
		replies = "structured"
	}
	var contexts []string
	for _, m := range c.Contexts {
		contexts = append(contexts, m.Name)
	}
	c.srv.log("transmission", "id", c.ID, "export", c.Export.Name, "replies", replies, "tls", c.TLS, "contexts", contexts)
}

// tracing reports whether each request is logged.
func (c *conn) tracing() bool {
	l := c.srv.cfg.Log
	return l != nil && l.Enabled(context.Background(), slog.LevelDebug)
}

func (t *transmission) logRequest(q *wire.Request) {
	t.srv.cfg.Log.Debug("request", "id", t.ID, "cookie", q.Cookie, "command", q.Type, "flags", q.Flags,
		"offset", q.Offset, "length", q.Length)
}
