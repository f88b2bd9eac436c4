package server

import (
	"errors"
	"io"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// withFaults is a configuration whose export has faults.
func withFaults(faults ...export.Fault) Config {
	cfg := oneExport(1 << 20)
	cfg.Exports[0].Gate = export.NewFaults(faults...)
	return cfg
}

// A hole is not read from the disk for a structured reply: the gate
// counts requests.
func TestFaultsAreCountedByRequest(t *testing.T) {
	_, ln := serve(t, withFaults(export.Fault{Commands: []wire.Command{wire.CmdRead}, Offset: 4096, Every: 2, Err: wire.ENOMEM}))
	p := dial(t, ln).enter(true)
	for i, want := range []wire.Errno{wire.OK, wire.ENOMEM, wire.OK, wire.ENOMEM} {
		r := p.do(wire.Request{Type: wire.CmdRead, Cookie: uint64(i), Length: 1 << 16}, nil)
		if r.Err != want {
			t.Errorf("read %d: %v, want %v", i, r.Err, want)
		}
		if want != wire.OK && r.Types[0] != wire.ChunkErrorOffset {
			t.Errorf("read %d: %v", i, r.Types)
		}
		if r := p.do(wire.Request{Type: wire.CmdBlockStatus, Cookie: 9, Length: 1 << 16}, nil); r.Err != wire.OK {
			t.Errorf("block status: %v", r.Err)
		}
	}
}

// What is injected arrives, even an error that the server would not use itself.
func TestInjectedErrorsArriveAsTheyAre(t *testing.T) {
	for _, e := range []wire.Errno{wire.EPERM, wire.ENOTSUP, wire.EOVERFLOW, wire.ESHUTDOWN} {
		_, ln := serve(t, withFaults(export.Fault{Err: e}))
		if r := dial(t, ln).enter(false).do(wire.Request{Type: wire.CmdWrite, Length: 1}, []byte{1}); r.Err != e {
			t.Errorf("%v, want %v", r.Err, e)
		}
	}
}

func TestADelayedRequestIsOvertaken(t *testing.T) {
	_, ln := serve(t, withFaults(export.Fault{Commands: []wire.Command{wire.CmdWrite}, Delay: 200 * time.Millisecond}))
	p := dial(t, ln).enter(false)
	slow, quick := wire.Request{Type: wire.CmdWrite, Cookie: 1, Length: 1}, wire.Request{Type: wire.CmdRead, Cookie: 2, Length: 1}
	began := time.Now()
	p.send(append(slow.Append(nil), 7))
	if r := p.do(quick, nil); r.Err != wire.OK {
		t.Error(r.Err)
	}
	if r := p.reply(slow); r.Err != wire.OK || time.Since(began) < 200*time.Millisecond {
		t.Errorf("%v after %v", r.Err, time.Since(began))
	}
}

func TestARequestWithoutReplyHoldsNothingUp(t *testing.T) {
	cfg := withFaults(export.Fault{Commands: []wire.Command{wire.CmdWrite}, Err: export.ErrNoReply})
	cfg.Workers, cfg.InFlight = 1, 4096
	_, ln := serve(t, cfg)
	p := dial(t, ln).enter(false)
	for range 8 {
		p.send(append(wire.Request{Type: wire.CmdWrite, Cookie: 1, Length: 2048}.Append(nil), make([]byte, 2048)...))
	}
	if r := p.do(wire.Request{Type: wire.CmdRead, Cookie: 2, Length: 4096}, nil); r.Err != wire.OK {
		t.Error(r.Err)
	}
	p.send(wire.Request{Type: wire.CmdDisc}.Append(nil))
	p.closed()
}

func TestAFaultHangsUp(t *testing.T) {
	_, ln := serve(t, withFaults(export.Fault{Commands: []wire.Command{wire.CmdTrim}, Err: export.ErrHangup}))
	p := dial(t, ln).enter(false)
	p.send(wire.Request{Type: wire.CmdTrim, Cookie: 1, Length: 4096}.Append(nil))
	if b, err := io.ReadAll(p.br); len(b) > 0 || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got % x, %v", b, err)
	}
	again := dial(t, ln).enter(false)
	if r := again.do(wire.Request{Type: wire.CmdRead, Length: 1}, nil); r.Err != wire.OK {
		t.Error(r.Err)
	}
}

func TestNoStructuredReplies(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.NoStructuredReplies = true
	if _, err := New(cfg); err == nil {
		t.Error("extended headers alone are taken")
	}
	cfg.NoExtendedHeaders = true
	_, ln := serve(t, cfg)
	p := dial(t, ln).greet()
	for _, o := range []wire.Option{wire.OptStructuredReply, wire.OptListMetaContext, wire.OptSetMetaContext, wire.OptExtendedHeaders} {
		p.want(p.option(o, nil), wire.RepErrUnsup)
	}
}

// What is still worked on when the client has gone does not keep the connection
// for ever, nor do replies that it does not read.
func TestLastWordsAreBounded(t *testing.T) {
	defer func(d time.Duration) { closeTimeout = d }(closeTimeout)
	closeTimeout = 50 * time.Millisecond
	for what, leave := range map[string]func(*peer){
		"late":   func(p *peer) { p.send(wire.Request{Type: wire.CmdTrim, Length: 4096}.Append(nil)); _ = p.nc.Close() },
		"unread": func(p *peer) { p.send(wire.Request{Type: wire.CmdDisc}.Append(requestsOf(readOf(1<<20), 30))) },
	} {
		t.Run(what, func(t *testing.T) {
			cfg := withFaults(export.Fault{Commands: []wire.Command{wire.CmdTrim}, Delay: time.Hour})
			cfg.Exports[0].Disk = filled(t, export.New(1<<20))
			s, ln := serve(t, cfg)
			leave(dial(t, ln).enter(false))
			for began := time.Now(); ; time.Sleep(time.Millisecond) {
				s.mu.Lock()
				n := len(s.conns)
				s.mu.Unlock()
				if n == 0 {
					return
				}
				if time.Since(began) > 10*time.Second {
					t.Fatal("the connection is still there")
				}
			}
		})
	}
}
