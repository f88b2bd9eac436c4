package servers

import (
	"context"
	"math/rand/v2"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/reference/history"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

// "In particular, if this flag is present, then the effects of `NBD_CMD_FLUSH` and
// `NBD_CMD_FLAG_FUA` MUST be visible across all connections when the server sends its reply
// to that command to the client." What is in flight may be seen or not, so that every read is
// judged by itself: see history.Regular.
var _ = Describe("NBD_FLAG_CAN_MULTI_CONN, with many requests in flight on several connections,", func() {
	It("shows every read what was last written with NBD_CMD_FLAG_FUA", ID("multi-conn.history-fua"),
		MUST("flag.transmission.multi-conn"),
		Needs(feature.MultiConn, feature.FUA), Writes(), AtLeast(historyBlocks*512),
		TrippedBy(quirk.StaleRead, "stale or mixed up"),
		TrippedBy(quirk.MultiConnPrivate, "stale or mixed up"),
		func(ctx context.Context) {
			ops := recordHistory(ctx, wire.CmdFlagFUA)

			Expect(history.Regular(ops)).To(Succeed())
		})

	It("shows every read what was last written and flushed", ID("multi-conn.history-flush"),
		MUST("flag.transmission.multi-conn"),
		Needs(feature.MultiConn, feature.Flush), Writes(), AtLeast(historyBlocks*512),
		TrippedBy(quirk.StaleRead, "stale or mixed up"),
		TrippedBy(quirk.MultiConnPrivate, "stale or mixed up"),
		func(ctx context.Context) {
			ops := recordHistory(ctx, 0)

			Expect(history.Regular(ops)).To(Succeed())
		})
})

// Of a recorded history.
const (
	historyBlocks = 6
	historyConns  = 3
	historyRounds = 24
)

// recordHistory has every connection send some writes and reads at once, and
// waits for the answers before the next round. A block is written by one
// connection in a round, as the outcome of two at once would be anyone's
// guess. Writes count as answered when they are flushed: by their flag, or by
// a flush of their connection.
func recordHistory(ctx context.Context, flag wire.CommandFlags) []history.Op {
	n := Room(ctx, historyBlocks)
	var r history.Recorder
	var conns [historyConns]*Session
	for i := range conns {
		conns[i] = Enter(ctx)
	}
	for at := range uint64(historyBlocks) {
		conns[0].Write(at*n, make([]byte, n))
	}
	if conns[0].Flags&wire.FlagSendFlush != 0 {
		flush(conns[0])
	} else {
		for at := range uint64(historyBlocks) {
			q := wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagFUA, Offset: at * n, Length: n}
			Expect(conns[0].Do(q, make([]byte, n)...)).To(BeReply(WithError(wire.OK)))
		}
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for range historyRounds {
		type sent struct {
			cookie uint64
			op     history.Op
		}
		var waiting [historyConns][]sent
		owner := rnd.Perm(historyBlocks) // of blocks in this round, modulo the connections
		for i, s := range conns {
			batch := s.Batch()
			for range 4 {
				op := history.Op{Client: i, Block: rnd.Uint64N(historyBlocks), Call: r.Now()}
				waiting[i] = append(waiting[i], sent{batch.Add(ReadOf(op.Block*n, n)), op})
			}
			for b, o := range owner {
				if o%historyConns != i || rnd.IntN(2) == 0 {
					continue
				}
				op := history.Op{Client: i, Block: uint64(b), Write: true, Value: r.Next(), Call: r.Now()}
				data := make([]byte, n)
				op.Value.Fill(data)
				q := wire.Request{Type: wire.CmdWrite, Flags: flag, Offset: op.Block * n, Length: n}
				waiting[i] = append(waiting[i], sent{batch.Add(q, data...), op})
			}
			batch.Send()
		}
		for i, s := range conns {
			var written []history.Op
			for _, w := range waiting[i] {
				reply := s.Await(w.cookie)
				Expect(reply).To(BeReply(WithError(wire.OK)))
				if w.op.Write {
					written = append(written, w.op)
					continue
				}
				w.op.Value = history.ValueOf(reply.Data)
				r.Add(w.op)
			}
			if flag == 0 && len(written) > 0 {
				flush(s)
			}
			for _, op := range written {
				r.Add(op)
			}
		}
	}
	return r.Ops()
}
