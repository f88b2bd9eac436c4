package clients

import (
	"fmt"
	"strings"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/visit"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
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
func asked(o wire.Option) []caller.Activity {
	switch o {
	case wire.OptList:
		return []caller.Activity{caller.List}
	case wire.OptListMetaContext:
		return []caller.Activity{caller.Info}
	case wire.OptSetMetaContext:
		return []caller.Activity{caller.Map, caller.CopyOut}
	}
	return []caller.Activity{caller.CopyOut, caller.Visit, caller.CopyIn, caller.Map, caller.Info}
}

// staying leaves the connection open after NBD_OPT_ABORT.
var staying = visit.Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
	if x.Is(wire.OptAbort) {
		x.Hangup = false
	}
}})

// conns finds something wrong with one of the connections of a visit.
func conns(want string, wrong func(*visit.Conn) string) *visit.Expectation {
	return visit.Want(want, func(v *visit.Visit) string {
		for i, c := range v.Conns {
			if w := wrong(c); w != "" {
				return fmt.Sprintf("on connection %d of %d %s", i+1, len(v.Conns), w)
			}
		}
		return ""
	})
}

// AbortNext matches a visit in which NBD_OPT_ABORT is what follows the option
// that was answered in another way than usual.
func AbortNext() *visit.Expectation {
	return conns("NBD_OPT_ABORT next, after NBD_REP_ERR_SHUTDOWN", func(c *visit.Conn) string {
		if !c.Provoked {
			return ""
		}
		switch next := c.Options[c.OptionsByThen:]; {
		case len(next) == 0:
			return "nothing comes, and the client hangs up"
		case next[0].Option != wire.OptAbort:
			return fmt.Sprintf("%v comes", next[0].Option)
		}
		return ""
	})
}

// BeOver matches a visit in which the client ends a connection after NBD_OPT_ABORT.
func BeOver() *visit.Expectation {
	return conns("that the client drops the connection after NBD_OPT_ABORT", func(c *visit.Conn) string {
		if c.Sent(wire.OptAbort) && c.Stayed {
			return "it stays"
		}
		return ""
	})
}

// ShutTLS matches a visit in which the client shuts TLS down after NBD_OPT_ABORT.
func ShutTLS() *visit.Expectation {
	return conns("that TLS is shut down by close_notify after NBD_OPT_ABORT", func(c *visit.Conn) string {
		if c.TLS && c.Sent(wire.OptAbort) && !c.Notified {
			return "the connection ends without it"
		}
		return ""
	})
}

// Sent reports whether an option was sent on any connection.
func Sent(v *visit.Visit, o wire.Option) bool {
	for _, c := range v.Conns {
		if c.Sent(o) {
			return true
		}
	}
	return false
}
