package clients

import (
	"context"
	"sync"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	quirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

var _ = Describe("Connections to an export without NBD_FLAG_CAN_MULTI_CONN", func() {
	// "In the absence of this flag, clients SHOULD NOT multiplex their commands over more than one connection to the
	// export." One after the other they may come.
	for _, a := range []subject.Operation{subject.CopyIn, subject.CopyOut, subject.Compare, subject.Map, subject.Visit} {
		It("are used one at a time by "+string(a), ID("client.one-connection."+string(a)),
			SHOULD("flag.transmission.multi-conn.absent"),
			Asks(a),
			TrippedBy(quirk.MultiConnAlways, "commands come on one, on another"),
			func(ctx context.Context) {
				var m interleaving
				v := Ask(ctx, Omitting(wire.FlagCanMultiConn), EachConn(m.hooks))

				if len(v.Conns) > 0 && m.last == 0 {
					Unsuited("sends-no-command-concerns-data")
				}
				Expect(m.found).To(BeFalse(), "one-connection-at-a-time", v)
			})
	}
})

// An interleaving notes whether commands come on a connection that have others
// between them that came on another one.
type interleaving struct {
	mu    sync.Mutex
	conns int
	last  int // the connection of the last command, from 1 up
	left  map[int]bool
	found bool
}

func (m *interleaving) hooks() server.Hooks {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns++
	me := m.conns
	return server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdDisc || q.Type == wire.CmdFlush {
			return // which takes leave, or is about no command in particular
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.last != me && m.last > 0 {
			if m.left == nil {
				m.left = map[int]bool{}
			}
			m.left[m.last] = true
		}
		m.found = m.found || m.left[me]
		m.last = me
	}}
}

var _ = Describe("Data that is copied to an export", func() {
	// "For data safety, implementing `NBD_CMD_FLUSH` and the `NBD_CMD_FLAG_FUA` flag to `NBD_CMD_WRITE` is strongly
	// recommended." Which of the two a client that has both would use is not said.
	It("is made safe by NBD_CMD_FLUSH or NBD_CMD_FLAG_FUA", ID("client.flush"),
		SHOULD("interop.client.flush"),
		Asks(subject.CopyIn),
		TrippedBy(quirk.Flushless, "writes without NBD_CMD_FLAG_FUA, and no flush behind them"),
		func(ctx context.Context) {
			var d durability
			v := Ask(ctx, EachConn(d.hooks))

			if !d.wrote {
				Unsuited("writes-nothing")
			}
			Expect(d.open).To(BeFalse(), "data-made-safe", v)
		})
})

// A durability knows whether there are writes that nothing made safe.
type durability struct {
	mu          sync.Mutex
	wrote, open bool
}

func (d *durability) hooks() server.Hooks {
	return server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		switch q.Type {
		case wire.CmdWrite, wire.CmdWriteZeroes:
			d.wrote = true
			d.open = d.open || q.Flags&wire.CmdFlagFUA == 0
		case wire.CmdFlush:
			d.open = false
		}
	}}
}
