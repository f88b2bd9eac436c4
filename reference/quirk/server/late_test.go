package serverquirk

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// These quirks show only in time, across connections, or during a shutdown.

// start makes a server with a quirk, and a function that says something on a
// new connection and returns what is answered.
func start(t *testing.T, q Quirk) (*server.Server, func(said ...[]byte) []byte) {
	t.Helper()
	cfg := server.Config{Exports: []server.Export{{Name: "disk", Disk: export.New(1 << 20)}}}
	q.Apply(&cfg)
	if cfg.ConnHooks == nil && cfg.Hooks.Reply == nil {
		cfg.Hooks.Reply = func(*server.Exchange) {} // one request after the other
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, func(said ...[]byte) []byte {
		near, far := net.Pipe()
		go func() { _ = s.ServeConn(context.Background(), far) }()
		go func() { _, _ = near.Write(cat(wire.FlagCFixedNewstyle.Append(nil), cat(said...))) }()
		var heard bytes.Buffer
		_, _ = io.Copy(&heard, quiet{near})
		_ = near.Close()
		return heard.Bytes()
	}
}

var enterDefault = info(wire.OptGo, "")

func ask(c wire.Command, flags wire.CommandFlags, n uint64) []byte {
	b := wire.Request{Type: c, Flags: flags, Cookie: 5, Length: n}.Append(nil)
	if c == wire.CmdWrite {
		b = append(b, bytes.Repeat([]byte{7}, int(n))...)
	}
	return b
}

func TestPrivateConnections(t *testing.T) {
	read := cat(enterDefault, ask(wire.CmdRead, 0, 8), ask(wire.CmdDisc, 0, 0))
	_, say := start(t, MultiConnPrivate)
	own := say(enterDefault, ask(wire.CmdWrite, wire.CmdFlagFUA, 8), ask(wire.CmdRead, 0, 8), ask(wire.CmdDisc, 0, 0))
	if !bytes.HasSuffix(own, bytes.Repeat([]byte{7}, 8)) {
		t.Errorf("a connection does not see its own writes: % x", own)
	}
	if other := say(read); !bytes.HasSuffix(other, make([]byte, 8)) {
		t.Errorf("another connection sees them: % x", other)
	}
}

func TestSecondConnection(t *testing.T) {
	_, say := start(t, SecondConnectionRefused)
	if first, second := say(), say(); len(first) == 0 || len(second) > 0 {
		t.Errorf("got %d bytes and %d bytes", len(first), len(second))
	}
}

func TestOutstandingDropped(t *testing.T) {
	_, say := start(t, DiscDropsOutstanding)
	without := len(say(enterDefault, ask(wire.CmdDisc, 0, 0)))
	if got := len(say(enterDefault, ask(wire.CmdFlush, 0, 0), ask(wire.CmdDisc, 0, 0))); got != without {
		t.Errorf("%d bytes answer a flush", got-without)
	}
	if got := len(say(enterDefault, ask(wire.CmdFlush, 0, 0))); got != without+wire.SimpleReplySize {
		t.Errorf("%d bytes answer a flush in peace", got-without)
	}
}

func TestDelays(t *testing.T) {
	for _, c := range []struct {
		quirk Quirk
		said  []byte
		least time.Duration
	}{
		{Slow, opt(wire.OptAbort, nil), 5 * time.Millisecond},
		{Dribble, opt(wire.OptAbort, nil), 20 * 20 * time.Microsecond},
	} {
		_, say := start(t, c.quirk)
		before := time.Now()
		say(c.said)
		if took := time.Since(before); took < c.least {
			t.Errorf("%s took %v", c.quirk.Name, took)
		}
	}
}

func TestShutdownQuirks(t *testing.T) {
	for _, c := range []struct {
		quirk Quirk
		said  []byte
		want  []byte
	}{
		{
			ShutdownOptionPolicy, opt(wire.OptList, nil),
			wire.OptionReplyHeader{Option: wire.OptList, Type: wire.RepErrPolicy, Length: 27}.Append(nil),
		},
	} {
		s, say := start(t, c.quirk)
		near, far := net.Pipe() // keeps the shutdown waiting
		go func() { _ = s.ServeConn(context.Background(), far) }()
		_, _ = io.ReadFull(near, make([]byte, wire.GreetingSize))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- s.Shutdown(ctx) }()
		for deadline := time.Now().Add(5 * time.Second); ; {
			if heard := say(c.said); bytes.Contains(heard, c.want) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s does not show", c.quirk.Name)
			}
		}
		cancel()
		<-done //nolint:errcheck // it was cut short on purpose
		_ = near.Close()
	}
}
