package judge

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// The fuzzer's input is a list of turns: a byte for who speaks and how a turn
// ends, two for the length, and what is said.
const (
	turnServer = 1 << iota
	turnCloses
)

func (c *conversation) script() []byte {
	var b []byte
	for _, e := range c.events {
		var how byte
		if e.side == clause.Server {
			how |= turnServer
		}
		if e.closes {
			how |= turnCloses
		}
		if len(e.bytes) == 0 {
			b = append(b, how, 0, 0)
		}
		for part := range slices.Chunk(e.bytes, 1<<16-1) {
			b = append(b, how, byte(len(part)>>8), byte(len(part)))
			b = append(b, part...)
		}
	}
	return b
}

// play gives a script to a judge, at most n bytes at a time.
func play(j *Judge, script []byte, n int) {
	for len(script) >= 3 {
		how, size := script[0], int(script[1])<<8|int(script[2])
		script = script[3:]
		said := script[:min(size, len(script))]
		script = script[len(said):]
		feed, closed := j.FromClient, j.ClientClosed
		if how&turnServer != 0 {
			feed, closed = j.FromServer, j.ServerClosed
		}
		for part := range slices.Chunk(said, n) {
			feed(bytes.Clone(part)) // so that nobody keeps what is not theirs
		}
		if how&turnCloses != 0 {
			closed(io.EOF)
		}
	}
}

func FuzzJudge(f *testing.F) {
	for _, trip := range trips {
		for _, bad := range []bool{true, false} {
			c := &conversation{}
			trip.talk(c, bad)
			if script := c.script(); len(script) < 1<<12 {
				f.Add(script, uint8(3), c.opts.Oldstyle, c.opts.Decrypted)
			}
		}
	}
	f.Fuzz(func(t *testing.T, script []byte, n uint8, oldstyle, decrypted bool) {
		opts := Options{Oldstyle: oldstyle, Decrypted: decrypted, Messages: 40}
		whole, parts := New(opts), New(opts)
		play(whole, script, 1<<16)
		play(parts, script, int(n)+1)
		if diff := cmp.Diff(whole.Violations(), parts.Violations()); diff != "" {
			t.Errorf("cut every %d bytes (-whole +parts):\n%s\n%v", int(n)+1, diff, whole.Transcript())
		}
		if diff := cmp.Diff(whole.Transcript().String(), parts.Transcript().String()); diff != "" {
			t.Errorf("cut every %d bytes (-whole +parts):\n%s", int(n)+1, diff)
		}
		if diff := cmp.Diff(whole.Exercised(), parts.Exercised()); diff != "" {
			t.Errorf("cut every %d bytes (-whole +parts):\n%s", int(n)+1, diff)
		}
		if n := len(whole.Transcript().Messages); n > 40+maxPinned {
			t.Errorf("the transcript has %d messages", n)
		}
		if n := len(whole.Violations()); n > maxViolations {
			t.Errorf("there are %d violations", n)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	c := &conversation{}
	c.fragments(all)
	j := c.tell(1 << 20)
	request := read(1 << 30)
	j.FromClient(request.Append(nil))
	for i := range 1 << 16 {
		request.Cookie = uint64(i) + 2
		j.FromClient(request.Append(nil))
		j.FromServer(wire.Chunk{Type: wire.ChunkOffsetHole, Cookie: 1, Payload: wire.OffsetHole{Offset: uint64(i) * 2, Size: 1}.Append(nil)}.Append(nil))
	}
	if j.waiting > maxPending || j.kept > maxParts || len(j.violations) > maxViolations || len(j.log.ring) > 512 {
		t.Errorf("pending %d, parts %d, violations %d, messages %d", j.waiting, j.kept, len(j.violations), len(j.log.ring))
	}
}

func BenchmarkSimpleReads(b *testing.B) {
	c := &conversation{}
	c.plain(all)
	benchmarkReads(b, c, append(wire.SimpleReply{Cookie: 1}.Append(nil), make([]byte, 1<<16)...))
}

func BenchmarkStructuredReads(b *testing.B) {
	c := &conversation{}
	c.fragments(all)
	benchmarkReads(b, c, wire.Chunk{
		Flags: done, Type: wire.ChunkOffsetData, Cookie: 1,
		Payload: wire.OffsetData{Data: make([]byte, 1<<16)}.Append(nil),
	}.Append(nil))
}

// benchmarkReads measures what the judge costs a reader of 64 KiB a request
// whose socket gives 16 KiB at a time.
func benchmarkReads(b *testing.B, c *conversation, reply []byte) {
	j := c.tell(1 << 20)
	request := read(1 << 16).Append(nil)
	b.SetBytes(1 << 16)
	b.ReportAllocs()
	for b.Loop() {
		j.FromClient(request)
		for part := range slices.Chunk(reply, 1<<14) {
			j.FromServer(part)
		}
	}
	if v := j.Violations(); len(v) > 0 {
		b.Fatal(v[0])
	}
}
