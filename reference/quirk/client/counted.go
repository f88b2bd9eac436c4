package clientquirk

import (
	"bytes"
	"context"
	"reflect"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// Counted returns the quirk with hooks that also call changed whenever they
// change what is sent: a message, or how and whether it is sent. Of what a quirk
// does to a configuration it is told when that comes into use.
func (q Quirk) Counted(changed func()) Quirk {
	if inner := q.New; inner != nil {
		q.New = func() client.Hooks { return counted(inner(), changed) }
	}
	q.Hooks = counted(q.Hooks, changed)
	if f := q.Config; f != nil {
		q.Config = func(c *client.Config) { changed(); f(c) }
	}
	return q
}

func counted(h client.Hooks, changed func()) client.Hooks {
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
