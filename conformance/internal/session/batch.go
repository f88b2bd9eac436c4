package session

import (
	"context"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
)

// Room returns the block size that specs use, in bytes, to a spec that needs n
// blocks. On a smaller export the spec ends as unsupported.
func Room(ctx context.Context, n uint64) uint64 {
	f := FactsOf(ctx)
	b := f.Block()
	if f.Entered && f.Size < n*b {
		verdict.Unsupported("needs-export-of-blocks", n, b, f.Size)
	}
	return b
}

// Last is where the last whole block of the export starts.
func (f Facts) Last() uint64 {
	b := f.Block()
	return f.Size/b*b - b
}

// Largest is the largest payload, in bytes, that every server is to take here:
// whole blocks of what it advertised, of 2^25 bytes and of the export.
func (f Facts) Largest() uint64 {
	n := min(f.Size, uint64(f.Constraints.MaxPayload), wire.DefaultMaxPayload)
	return n / f.Block() * f.Block()
}

// ReadOf is a request for n bytes at offset.
func ReadOf(offset, n uint64) wire.Request {
	return wire.Request{Type: wire.CmdRead, Offset: offset, Length: n}
}

// A Batch is requests that go out in one write.
type Batch struct {
	s     *Session
	bytes []byte
}

// Batch makes an empty batch.
func (s *Session) Batch() *Batch { return &Batch{s: s} }

// Add puts a request and its payload behind the others and returns its
// cookie. A zero Cookie is replaced by a fresh one.
func (b *Batch) Add(q wire.Request, payload ...byte) (cookie uint64) {
	if q.Cookie == 0 {
		q.Cookie = b.s.next()
	}
	if q.Type == wire.CmdDisc {
		b.s.phase = over // nothing is said behind it
	} else {
		b.s.Expect(q)
	}
	b.bytes = append(b.bytes, b.s.Encode(q, payload...)...)
	return q.Cookie
}

// Send sends the batch.
func (b *Batch) Send() { b.s.Raw(b.bytes) }

// Probe is the reply to a small read. One that makes sense shows that the
// conversation is still in step; where the server may also have left, it is to
// be matched as such, and else InStep does.
func (s *Session) Probe() Reply { return s.Do(ReadOf(0, s.attempt.server.Facts.Block())) }

// Zero makes n bytes at offset zero, by NBD_CMD_WRITE_ZEROES where it is
// offered. The spec is blocked if the server refuses.
func (s *Session) Zero(offset, n uint64) []byte {
	if s.Flags&wire.FlagSendWriteZeroes == 0 {
		return s.Write(offset, make([]byte, n))
	}
	r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Offset: offset, Length: n})
	if !r.OK() {
		verdict.Blocked("cmd.write-zeroes.then-reply", "zeroing-bytes", n, offset, r)
	}
	return make([]byte, n)
}

// Take lets the session receive chunks and data of up to n bytes.
func (s *Session) Take(n uint32) {
	lim := wire.DefaultLimits
	lim.Payload = max(lim.Payload, n)
	s.raw.SetLimits(lim)
}
