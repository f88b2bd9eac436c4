package server

import (
	"net"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// Hooks are called by the server in this order. All may be nil. A hook sees the
// whole answer to one message of the client and may change, add, drop and reorder
// what is sent, send other bytes instead, or send no answer (see [Answer]).
//
// The hooks of a connection are called one at a time. Those of
// Config.ConnHooks belong to one connection and may keep state in variables
// that they close over. Those of Config.Hooks are shared: their state needs a
// lock.
type Hooks struct {
	// Conn replaces the connection before anything is sent on it. The session
	// is that of the connection, and has only its ID yet.
	Conn func(*Session, net.Conn) net.Conn

	// Greeting sees the first message of the server.
	Greeting func(*GreetingExchange)

	// Option rewrites an option as it was received, before it is parsed.
	Option func(*Session, *wire.OptionRequest)
	// OptionReply sees the replies to any option but NBD_OPT_EXPORT_NAME.
	OptionReply func(*OptionExchange)
	// ExportName sees the answer to NBD_OPT_EXPORT_NAME.
	ExportName func(*ExportNameExchange)

	// Wrap replaces the disk of a connection that enters the transmission phase.
	Wrap func(export.Export) export.Export
	// Request rewrites a request as it was received, before it is checked and
	// its payload read: the payload of NBD_CMD_WRITE has the length that the hook
	// leaves.
	Request func(*Session, *wire.Request)
	// Reply sees the reply to a request, NBD_CMD_DISC included.
	Reply func(*Exchange)

	// Skip has the ids of clauses that are not enforced.
	Skip map[string]bool
}

// A GreetingExchange is the server's greeting.
type GreetingExchange struct {
	Answer
	Session  *Session
	Greeting wire.Greeting
}

// An OptionExchange is an option and its replies.
type OptionExchange struct {
	Answer
	Session *Session
	Request wire.OptionRequest // as received; data beyond the limit is missing
	Export  *Export            // that NBD_OPT_INFO or NBD_OPT_GO found, or nil
	Replies []wire.OptionReply
	// Enter says that the transmission phase follows: NBD_OPT_GO was granted.
	// It may only be cleared.
	Enter bool
	// Upgrade says that TLS follows: NBD_OPT_STARTTLS was granted. It may only
	// be cleared.
	Upgrade bool
}

// Bytes are the encoded replies.
func (x *OptionExchange) Bytes() (b []byte) {
	for _, r := range x.Replies {
		b = r.Append(b)
	}
	return b
}

// Is reports whether the option is one of these.
func (x *OptionExchange) Is(options ...wire.Option) bool {
	for _, o := range options {
		if x.Request.Option == o {
			return true
		}
	}
	return false
}

// Failed reports whether the final reply is an error.
func (x *OptionExchange) Failed() bool {
	n := len(x.Replies)
	return n > 0 && x.Replies[n-1].Type.IsError()
}

// Fail replaces all replies by an error.
func (x *OptionExchange) Fail(t wire.ReplyType, text string) {
	x.Replies = []wire.OptionReply{{Option: x.Request.Option, Type: t, Data: []byte(text)}}
	x.Enter, x.Upgrade = false, false
}

// Add appends a reply to the same option after the others, the final one included.
func (x *OptionExchange) Add(t wire.ReplyType, data []byte) {
	x.Replies = append(x.Replies, wire.OptionReply{Option: x.Request.Option, Type: t, Data: data})
}

// Insert puts a reply to the same option before the others.
func (x *OptionExchange) Insert(t wire.ReplyType, data []byte) {
	x.Replies = append([]wire.OptionReply{{Option: x.Request.Option, Type: t, Data: data}}, x.Replies...)
}

// Each calls f for every reply of the type. What f inserts is not visited.
func (x *OptionExchange) Each(t wire.ReplyType, f func(*wire.OptionReply)) {
	list := x.Replies
	for i := range list {
		if list[i].Type == t {
			f(&list[i])
		}
	}
}

// Drop removes the replies for which f holds.
func (x *OptionExchange) Drop(f func(wire.OptionReply) bool) {
	var keep []wire.OptionReply
	for _, r := range x.Replies {
		if !f(r) {
			keep = append(keep, r)
		}
	}
	x.Replies = keep
}

// Infos calls f for every piece of information of the type in NBD_REP_INFO, and
// encodes what f leaves.
func (x *OptionExchange) Infos(t wire.InfoType, f func(*wire.Info)) {
	x.Each(wire.RepInfo, func(r *wire.OptionReply) {
		if i, err := wire.ParseInfo(r.Data); err == nil && i.Type == t {
			f(&i)
			r.Data = i.Append(nil)
		}
	})
}

// ExportInfo calls f for NBD_INFO_EXPORT, if it is among the replies, and
// encodes what f leaves.
func (x *OptionExchange) ExportInfo(f func(*wire.ExportInfo)) {
	x.Infos(wire.InfoExport, func(i *wire.Info) {
		if e, err := wire.ParseExportInfo(i.Payload); err == nil {
			f(&e)
			*i = e.Info()
		}
	})
}

// An ExportNameExchange is NBD_OPT_EXPORT_NAME and its answer.
type ExportNameExchange struct {
	Answer
	Session *Session
	Name    string
	Export  *Export // nil: there is none of the name
	// Refused is set where the session is to end without an answer; Hangup
	// and Silent are set too. A hook that clears all three accepts the client,
	// if Export is set.
	Refused bool
	Reply   wire.ExportNameReply
}
