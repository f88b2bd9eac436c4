package server

import (
	"testing"
	"time"

	"nbdconform/reference/wire"
)

func hooked(h Hooks) Config {
	cfg := oneExport(1 << 20)
	cfg.Hooks = &h
	return cfg
}

func TestHookSeesAndChangesTheWholeReply(t *testing.T) {
	_, ln := serve(t, hooked(Hooks{Reply: func(x *Exchange) {
		if x.Is(wire.CmdRead) {
			x.Chunks(x.DataChunk(4096, x.Content()[4096:]), x.HoleChunk(0, 4096))
		}
	}}))
	p := dial(t, ln).enter(true)
	r := p.do(wire.Request{Type: wire.CmdRead, Length: 8192}, nil)
	if len(r.Types) != 2 || r.Types[0] != wire.ChunkOffsetData || r.Types[1] != wire.ChunkOffsetHole {
		t.Errorf("chunks %v", r.Types)
	}
}

func TestHookHoldsAReplyBack(t *testing.T) {
	_, ln := serve(t, hooked(Hooks{Reply: func(x *Exchange) {
		if x.Request.Cookie == 1 {
			x.Hold = time.Minute
		}
	}}))
	p := dial(t, ln).enter(false)
	first, second := wire.Request{Type: wire.CmdFlush, Cookie: 1}, wire.Request{Type: wire.CmdFlush, Cookie: 2}
	p.send(second.Append(first.Append(nil)))
	p.reply(second)
	p.reply(first)
}

func TestHookIgnoresDisconnect(t *testing.T) {
	_, ln := serve(t, hooked(Hooks{Reply: func(x *Exchange) {
		if x.Is(wire.CmdDisc) {
			x.Hangup = false
		}
	}}))
	p := dial(t, ln).enter(false)
	p.send(wire.Request{Type: wire.CmdDisc}.Append(nil))
	p.do(wire.Request{Type: wire.CmdFlush}, nil)
}

func TestHookCrashesTheServer(t *testing.T) {
	s, ln := serve(t, hooked(Hooks{OptionReply: func(x *OptionExchange) { x.Crash, x.Silent = true, true }}))
	other := dial(t, ln).greet()
	p := dial(t, ln).greet()
	p.send(wire.OptionRequest{Option: wire.OptList}.Append(nil))
	p.closed()
	other.closed()
	if !s.isClosed() {
		t.Error("the server goes on")
	}
}

func TestHookSkipsAClause(t *testing.T) {
	_, ln := serve(t, hooked(Hooks{Skip: map[string]bool{"err.unknown-command": true}}))
	p := dial(t, ln).enter(false)
	if r := p.do(wire.Request{Type: 77}, nil); r.Err != wire.OK {
		t.Errorf("unknown command: %v", r.Err)
	}
}

func TestHookDribblesAndDelays(t *testing.T) {
	_, ln := serve(t, hooked(Hooks{
		Greeting: func(x *GreetingExchange) { x.Pace = time.Millisecond },
		Reply: func(x *Exchange) {
			if x.Request.Cookie == 1 {
				x.Delay = 50 * time.Millisecond
			}
		},
	}))
	p := dial(t, ln).enter(false)
	slow, quick := wire.Request{Type: wire.CmdFlush, Cookie: 1}, wire.Request{Type: wire.CmdFlush, Cookie: 2}
	p.send(quick.Append(slow.Append(nil)))
	p.reply(quick)
	p.reply(slow)
}
