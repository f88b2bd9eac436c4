package clients

import (
	"strings"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/encounter"
	"nbdconform/conformance/subject"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// pause is how long an answer is kept back from a client that may not go on
// without it.
const pause = 20 * time.Millisecond

func clauseID(s string) clause.ID { return clause.ID(s) }

// short is the name of an option as part of a spec's.
func short(o wire.Option) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(o.String(), "NBD_OPT_"), "_", "-"))
}

// asked are the activities in which a client may use an option.
func asked(o wire.Option) []subject.Operation {
	switch o {
	case wire.OptList:
		return []subject.Operation{subject.List}
	case wire.OptListMetaContext:
		return []subject.Operation{subject.Info}
	case wire.OptSetMetaContext:
		return []subject.Operation{subject.Map, subject.CopyOut}
	}
	return []subject.Operation{subject.CopyOut, subject.Visit, subject.CopyIn, subject.Map, subject.Info}
}

// staying leaves the connection open after NBD_OPT_ABORT.
var staying = encounter.Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
	if x.Is(wire.OptAbort) {
		x.Hangup = false
	}
}})

// conns finds something wrong with one of the connections of a visit.
func conns(want result.Value, wrong func(*encounter.Conn) result.Value) *encounter.Expectation {
	return encounter.Want(want, func(v *encounter.Visit) result.Value {
		for i, c := range v.Conns {
			if w := wrong(c); !w.None() {
				return result.Term("client.on-connection", i+1, len(v.Conns), w)
			}
		}
		return result.Nothing
	})
}

// AbortNext matches a visit in which NBD_OPT_ABORT is what follows the option
// that was answered in another way than usual.
func AbortNext() *encounter.Expectation {
	return conns(result.Term("client.abort-after-shutdown"), func(c *encounter.Conn) result.Value {
		if !c.Provoked {
			return result.Nothing
		}
		switch next := c.Options[c.OptionsByThen:]; {
		case len(next) == 0:
			return result.Term("client.hangs-up")
		case next[0].Option != wire.OptAbort:
			return result.Term("client.sends", next[0].Option)
		}
		return result.Nothing
	})
}

// BeOver matches a visit in which the client ends a connection after NBD_OPT_ABORT.
func BeOver() *encounter.Expectation {
	return conns(result.Term("client.drops-after-abort"), func(c *encounter.Conn) result.Value {
		if c.Sent(wire.OptAbort) && c.Stayed {
			return result.Term("client.stays")
		}
		return result.Nothing
	})
}

// ShutTLS matches a visit in which the client shuts TLS down after NBD_OPT_ABORT.
func ShutTLS() *encounter.Expectation {
	return conns(result.Term("client.close-notify-after-abort"), func(c *encounter.Conn) result.Value {
		if c.TLS && c.Sent(wire.OptAbort) && !c.Notified {
			return result.Term("client.connection-ends-without")
		}
		return result.Nothing
	})
}

// Sent reports whether an option was sent on any connection.
func Sent(v *encounter.Visit, o wire.Option) bool {
	for _, c := range v.Conns {
		if c.Sent(o) {
			return true
		}
	}
	return false
}
