package serverquirk

import (
	"bytes"
	"reflect"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// Counted returns the quirk with hooks that also call changed whenever they
// change what is sent: a message, or how and whether it is sent. Of what a quirk
// does to a disk or a configuration it is told when that comes into use.
func (q Quirk) Counted(changed func()) Quirk {
	if inner := q.New; inner != nil {
		q.New = func() server.Hooks { return counted(inner(), changed) }
	}
	q.Hooks = counted(q.Hooks, changed)
	if f := q.Config; f != nil {
		q.Config = func(c *server.Config) { changed(); f(c) }
	}
	return q
}

func counted(h server.Hooks, changed func()) server.Hooks {
	note := func(is bool) {
		if is {
			changed()
		}
	}
	if f := h.Option; f != nil {
		h.Option = func(s *server.Session, o *wire.OptionRequest) {
			had, data := o.Option, bytes.Clone(o.Data)
			f(s, o)
			note(o.Option != had || !bytes.Equal(o.Data, data))
		}
	}
	if f := h.OptionReply; f != nil {
		h.OptionReply = func(x *server.OptionExchange) {
			had, said := x.Answer, x.Bytes()
			f(x)
			note(!bytes.Equal(said, x.Bytes()) || !reflect.DeepEqual(had, x.Answer))
		}
	}
	if f := h.Request; f != nil {
		h.Request = func(s *server.Session, q *wire.Request) {
			had := *q
			f(s, q)
			note(*q != had)
		}
	}
	if f := h.Reply; f != nil {
		h.Reply = func(x *server.Exchange) {
			had, said := x.Answer, x.Bytes()
			f(x)
			note(!bytes.Equal(said, x.Bytes()) || !reflect.DeepEqual(had, x.Answer))
		}
	}
	if f := h.Wrap; f != nil {
		h.Wrap = func(e export.Export) export.Export { changed(); return f(e) }
	}
	return h
}
