package quirk

import (
	"bytes"
	"context"
	"maps"
	"reflect"
	"slices"
	"sync/atomic"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// Counted returns the quirk with hooks that also call changed whenever they
// change what is said: a message, or how and whether it is sent. Of what a quirk
// does to a disk or a configuration it is told when that comes into use.
func (q Quirk) Counted(changed func()) Quirk {
	if q.New != nil {
		inner := q.New
		q.New = func() server.Hooks { return counted(inner(), changed) }
	}
	q.Hooks = counted(q.Hooks, changed)
	if f := q.Config; f != nil {
		q.Config = func(c *server.Config) { changed(); f(c) }
	}
	if inner := q.NewClient; inner != nil {
		q.NewClient = func() client.Hooks { return countedClient(inner(), changed) }
	}
	q.ClientHooks = countedClient(q.ClientHooks, changed)
	if f := q.ClientConfig; f != nil {
		q.ClientConfig = func(c *client.Config) { changed(); f(c) }
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

func countedClient(h client.Hooks, changed func()) client.Hooks {
	if f := h.Option; f != nil {
		h.Option = func(m *client.OptionMessage) {
			had := client.OptionMessage{Request: wire.OptionRequest{Option: m.Request.Option, Data: bytes.Clone(m.Request.Data)}, Fixed: m.Fixed}
			if f(m); !reflect.DeepEqual(had, *m) {
				changed()
			}
		}
	}
	if f := h.Request; f != nil {
		h.Request = func(m *client.RequestMessage) {
			had := m.Request
			if f(m); m.Request != had || m.Raw != nil || m.Before != nil || m.Behind != nil {
				changed()
			}
		}
	}
	if f := h.Negotiated; f != nil {
		h.Negotiated = func(ctx context.Context, n *client.Negotiation) { changed(); f(ctx, n) }
	}
	if len(h.Skip) > 0 {
		changed() // the client goes by these alone
	}
	return h
}

// A Count says how often quirks that are in use have changed something.
type Count struct{ n atomic.Int64 }

// Add counts one change.
func (c *Count) Add() { c.n.Add(1) }

// Any reports whether there were changes.
func (c *Count) Any() bool { return c.n.Load() > 0 }

// Permitted are all clauses that permit what an allowed quirk of the side does,
// in alphabetical order.
func Permitted(side Side) []string {
	list := all
	if side == Client {
		list = clients
	}
	set := map[string]bool{}
	for _, q := range list {
		for _, id := range q.Permitted {
			set[id] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
