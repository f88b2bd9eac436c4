package client

import (
	"encoding/binary"
	"errors"
	"testing"

	"nbdconform/reference/wire"
)

// What the document reserves, has withdrawn or does not define, number by
// number, and what it wants a client to make of it.

// beyond are numbers from the first one that is not defined to the last of bits.
func beyond(first uint64, bits int) (list []uint64) {
	for n := first; n < first+64; n++ {
		list = append(list, n)
	}
	for bit := range bits {
		if n := uint64(1) << bit; n >= first+64 {
			list = append(list, n-1, n)
		}
	}
	return append(list, 1<<bits-1)
}

// Clients ignore handshake flags that they don't know, and the like of exports
// and chunks. Information of a type that nobody
// knows is dropped.
func TestReservedFlagsAndInformationAreBorne(t *testing.T) {
	conn := serve(t, func(f *fake) {
		f.greet(^wire.HandshakeFlags(0))
		f.option(wire.OptStructuredReply)
		f.answer(wire.OptStructuredReply, wire.RepAck, nil)
		f.option(wire.OptGo)
		known := wire.FlagReadOnly | wire.FlagSendResize | wire.FlagBlockStatusPayload
		f.info(wire.OptGo, wire.ExportInfo{Size: 8, Flags: allFlags | ^(known<<1-1)&^known}.Info())
		for _, n := range beyond(uint64(wire.InfoInitState)+1, 16) {
			f.info(wire.OptGo, wire.Info{Type: wire.InfoType(n), Payload: []byte("later")})
		}
		f.answer(wire.OptGo, wire.RepAck, nil)
		q, _ := f.request()
		f.chunk(q, ^wire.ReplyFlags(0), wire.ChunkNone, nil)
		f.disc()
	})
	c, err := Connect(within10s(t), conn, Config{Infos: []wire.InfoType{wire.InfoName}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(within10s(t)); err != nil {
		t.Errorf("a chunk with every flag: %v", err)
	}
	if err := c.Disconnect(within10s(t)); err != nil {
		t.Error(err)
	}
}

// Replies that are no errors and that nobody knows end the session; errors that
// nobody knows are a refusal like others.
func TestReservedOptionReplies(t *testing.T) {
	for _, n := range beyond(uint64(wire.RepMetaContext)+1, 31) {
		conn := serve(t, func(f *fake) {
			f.greet(wire.FlagFixedNewstyle)
			f.option(wire.OptList)
			f.answer(wire.OptList, wire.ReplyType(n), nil)
			f.gone()
		})
		neg, err := Negotiate(within10s(t), conn, Config{SimpleReplies: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := neg.List(within10s(t)); err == nil {
			t.Errorf("%v is taken", wire.ReplyType(n))
		} else {
			sessionOver(t, err, "")
		}
	}
	conn := serve(t, func(f *fake) {
		f.greet(wire.FlagFixedNewstyle)
		for _, n := range beyond(uint64(wire.RepErrExtHeaderReqd)+1, 32) {
			if n < 1<<31 {
				f.t.Errorf("fake server: %#x is no error", n)
			}
			f.option(wire.OptList)
			f.answer(wire.OptList, wire.ReplyType(n), []byte("for reasons of tomorrow"))
		}
		f.abort()
	})
	neg, err := Negotiate(within10s(t), conn, Config{SimpleReplies: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range beyond(uint64(wire.RepErrExtHeaderReqd)+1, 32) {
		var refusal *OptionError
		if _, err := neg.List(within10s(t)); !errors.As(err, &refusal) || refusal.Type != wire.ReplyType(n) {
			t.Errorf("%v: %v", wire.ReplyType(n), err)
		}
	}
	if err := neg.Close(); err != nil {
		t.Error(err)
	}
}

// "If the client receives an unknown or unexpected type with bit 15 set, it MUST
// consider the current reply as errored"; on all others it disconnects.
func TestReservedChunks(t *testing.T) {
	for _, n := range beyond(uint64(wire.ChunkBlockStatusExt)+1, 15) {
		c := enter(t, structured(), Config{}, func(f *fake) {
			q, _ := f.request()
			f.trySend(chunk(q, wire.ReplyFlagDone, wire.ChunkType(n), nil))
			f.gone()
		})
		sessionOver(t, c.Flush(within10s(t)), "chunk.unknown-type")
	}
	c := enter(t, structured(), Config{}, func(f *fake) {
		for _, n := range beyond(uint64(wire.ChunkErrorOffset)+1, 16) {
			q, _ := f.request()
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkType(n), wire.ErrorChunk{Error: wire.EIO}.Append(nil))
		}
		f.disc()
	})
	for _, n := range beyond(uint64(wire.ChunkErrorOffset)+1, 16) {
		var refused *RequestError
		if err := c.Flush(within10s(t)); !errors.As(err, &refused) || refused.Errno != wire.EIO {
			t.Errorf("%v: %v", wire.ChunkType(n), err)
		}
	}
	if err := c.Disconnect(within10s(t)); err != nil {
		t.Error(err)
	}
}

// "The following magic values are reserved and must not be used."
func TestReservedReplyMagic(t *testing.T) {
	for _, magic := range []uint32{wire.HistoricRequest, wire.HistoricReply, wire.TransactionLogMagic} {
		c := enter(t, structured(), Config{}, func(f *fake) {
			q, _ := f.request()
			b := chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
			binary.BigEndian.PutUint32(b, magic)
			f.trySend(b)
			f.gone()
		})
		sessionOver(t, c.Flush(within10s(t)), "layout.reply.magic")
	}
}

// There is no way to send a command that nobody knows; a flag is refused.
func TestReservedCommandFlagsAreNotSent(t *testing.T) {
	c := enter(t, structured(), Config{}, func(f *fake) { f.disc() })
	for bit := range 16 {
		flag := wire.CommandFlags(1) << bit
		if flag&wire.CmdFlagFUA != 0 {
			continue
		}
		if err := c.WriteAt(within10s(t), []byte{1}, 0, flag); err == nil {
			t.Errorf("NBD_CMD_WRITE with %v is sent", flag)
		}
	}
	if err := c.Disconnect(within10s(t)); err != nil {
		t.Error(err)
	}
}
