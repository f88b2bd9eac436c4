package clientquirk

import (
	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// breaking makes a client's quirk of a clause that the client does not keep.
func breaking(name, clause, doc string) Quirk {
	return register(Quirk{
		Name: name, Breaks: clause, Doc: doc,
		Hooks: client.Hooks{Skip: map[string]bool{clause: true}},
	})
}

// saying makes a client's quirk that rewrites options of a type.
func saying(name, clause, doc string, o wire.Option, f func(*client.OptionMessage)) Quirk {
	return register(Quirk{
		Name: name, Breaks: clause, Doc: doc,
		Hooks: client.Hooks{Option: func(m *client.OptionMessage) {
			if m.Is(o) {
				f(m)
			}
		}},
	})
}

// asking makes a client's quirk that rewrites requests of a type.
func asking(name, clause, doc string, t wire.Command, f func(*client.RequestMessage)) Quirk {
	return register(Quirk{
		Name: name, Breaks: clause, Doc: doc,
		Hooks: client.Hooks{Request: func(m *client.RequestMessage) {
			if m.Request.Type == t {
				f(m)
			}
		}},
	})
}

// configured makes a client's quirk of another configuration.
func configured(name, clause, doc string, f func(*client.Config)) Quirk {
	return register(Quirk{Name: name, Breaks: clause, Doc: doc, Config: f})
}

// strayCookie is the cookie of requests that the client itself knows nothing of.
const strayCookie = 0x5717a7

// before has the client send a request of which it knows nothing before NBD_CMD_DISC.
func before(name, clause, doc string, q func(*client.Client) wire.Request) Quirk {
	return asking(name, clause, doc, wire.CmdDisc, func(m *client.RequestMessage) {
		r := q(m.Client)
		r.Cookie = strayCookie
		m.Before = m.Encode(r, nil)
	})
}
