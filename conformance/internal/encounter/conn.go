package encounter

import (
	"context"
	"errors"
	"net"
	"reflect"
	"sync"

	"nbdconform/conformance/judge"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// A Conn is one connection of the client, seen from the server. Its fields are
// for reading once the visit is over.
type Conn struct {
	Judge    *judge.Judge
	Session  *server.Session // of the server; nil if nothing was said
	Options  []wire.OptionRequest
	Requests []wire.Request // NBD_CMD_DISC included
	// Provoked says that a hook of the spec changed what the server said, and
	// the other two how many options and requests had come by then.
	Provoked       bool
	OptionsByThen  int
	RequestsByThen int
	TLS, Notified  bool  // TLS ran, and the client shut it down
	End            error // how the client ended its direction: io.EOF in order, nil: it did not
	Stayed         bool  // it had not ended a while after the program had
	Flags          wire.ClientFlags
	StartTLSFailed bool // the TLS handshake did not come off

	mu      sync.Mutex
	watched *watched
	end     *judge.ServerConn
	over    bool // the server is done with it
}

// Sent reports whether one of the options was sent.
func (c *Conn) Sent(options ...wire.Option) bool {
	for _, q := range c.Options {
		for _, o := range options {
			if q.Option == o {
				return true
			}
		}
	}
	return false
}

// Asked reports whether one of the commands was sent.
func (c *Conn) Asked(commands ...wire.Command) bool {
	for _, q := range c.Requests {
		for _, t := range commands {
			if q.Type == t {
				return true
			}
		}
	}
	return false
}

// AfterProvocation are the requests that came once the server had misbehaved.
// Those that were on their way already may be among them.
func (c *Conn) AfterProvocation() []wire.Request {
	if !c.Provoked {
		return nil
	}
	return c.Requests[c.RequestsByThen:]
}

// provoked notes that the server's answer was changed by the spec.
func (c *Conn) provoked() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.Provoked {
		c.Provoked, c.OptionsByThen, c.RequestsByThen = true, len(c.Options), len(c.Requests)
	}
}

// hooks are those of the spec one after the other, with a record of what comes.
func (c *Conn) hooks(list []server.Hooks, h *host) server.Hooks {
	all := server.Hooks{Skip: map[string]bool{}}
	for _, x := range list {
		for id := range x.Skip {
			all.Skip[id] = true
		}
		all.Conn = chain(all.Conn, x.Conn)
		all.Greeting = then(all.Greeting, x.Greeting)
		all.Option = both(all.Option, x.Option)
		all.OptionReply = then(all.OptionReply, x.OptionReply)
		all.ExportName = then(all.ExportName, x.ExportName)
		all.Request = both(all.Request, x.Request)
		all.Reply = then(all.Reply, x.Reply)
		if wrap := x.Wrap; wrap != nil {
			before := all.Wrap
			all.Wrap = func(e export.Export) export.Export {
				if before != nil {
					e = before(e)
				}
				return wrap(e)
			}
		}
	}
	if f := all.Greeting; f != nil {
		all.Greeting = func(x *server.GreetingExchange) {
			had := *x
			f(x)
			c.changed(x.Greeting != had.Greeting || !reflect.DeepEqual(x.Answer, had.Answer))
		}
	}
	if f := all.OptionReply; f != nil {
		all.OptionReply = func(x *server.OptionExchange) {
			had, bytes := *x, x.Bytes()
			f(x)
			c.changed(string(bytes) != string(x.Bytes()) || x.Enter != had.Enter || x.Upgrade != had.Upgrade || !reflect.DeepEqual(x.Answer, had.Answer))
		}
	}
	if f := all.ExportName; f != nil {
		all.ExportName = func(x *server.ExportNameExchange) {
			had := *x
			f(x)
			c.changed(x.Reply != had.Reply || !reflect.DeepEqual(x.Answer, had.Answer))
		}
	}
	if f := all.Reply; f != nil {
		all.Reply = func(x *server.Exchange) {
			had, bytes := x.Answer, x.Bytes()
			f(x)
			c.changed(string(bytes) != string(x.Bytes()) || !reflect.DeepEqual(x.Answer, had))
		}
	}
	option, request := all.Option, all.Request
	all.Option = func(s *server.Session, o *wire.OptionRequest) {
		c.mu.Lock()
		c.Session, c.Flags = s, s.ClientFlags
		c.Options = append(c.Options, wire.OptionRequest{Option: o.Option, Data: append([]byte(nil), o.Data...)})
		c.mu.Unlock()
		if option != nil {
			option(s, o)
		}
	}
	all.Request = func(s *server.Session, q *wire.Request) {
		c.mu.Lock()
		c.Session = s
		c.Requests = append(c.Requests, *q)
		c.mu.Unlock()
		h.arrived(*q)
		if request != nil {
			request(s, q)
		}
	}
	if h.slow {
		reply := all.Reply
		all.Reply = func(x *server.Exchange) {
			if reply != nil {
				reply(x)
			}
			h.answered(x.Request)
		}
	}
	return all
}

func (c *Conn) changed(yes bool) {
	if yes {
		c.provoked()
	}
}

func then[T any](a, b func(*T)) func(*T) {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	return func(x *T) { a(x); b(x) }
}

func both[T any](a, b func(*server.Session, *T)) func(*server.Session, *T) {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	return func(s *server.Session, x *T) { a(s, x); b(s, x) }
}

func chain(a, b func(*server.Session, net.Conn) net.Conn) func(*server.Session, net.Conn) net.Conn {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	return func(s *server.Session, c net.Conn) net.Conn { return b(s, a(s, c)) }
}

// judgedTLS tells the judge of a connection what goes on within TLS.
type judgedTLS struct {
	starttls.Server
	host *host
}

func (t judgedTLS) Upgrade(ctx context.Context, nc net.Conn) (starttls.Conn, error) {
	end, ok := nc.(*judge.ServerConn)
	if !ok {
		return nil, errors.New("the connection is not a judged one")
	}
	var conn *Conn
	t.host.each(func(c *Conn) {
		if c.end == end {
			conn = c
		}
	})
	conn.watched.shakingHands()
	s, err := t.Server.Upgrade(ctx, nc)
	if err != nil {
		conn.watched.failed(err)
		conn.StartTLSFailed = true
		return nil, err
	}
	return end.Secured(s), nil
}
