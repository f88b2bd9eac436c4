package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reference/wire"
)

func withTLS(mode TLSMode) Config {
	return Config{
		TLS: TLS{Mode: mode, Server: pki.Shared().Server(false)},
		Exports: []Export{
			{Name: "disk", Disk: export.New(1 << 20)},
			{Name: "secret", Disk: export.New(1 << 20), TLSOnly: true},
		},
	}
}

// upgrade starts TLS after the acknowledgement.
func (p *peer) upgrade() starttls.Conn {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tc, err := pki.Shared().Client("localhost").Upgrade(ctx, p.nc)
	if err != nil {
		p.t.Fatal(err)
	}
	p.nc, p.br = tc, bufio.NewReader(tc)
	p.t.Cleanup(func() { _ = tc.Close() })
	return tc
}

func (p *peer) startTLS() starttls.Conn {
	p.t.Helper()
	p.want(p.option(wire.OptStartTLS, nil), wire.RepAck)
	return p.upgrade()
}

// final is the type of the final reply to an option.
func (p *peer) final(o wire.Option, data []byte) wire.ReplyType {
	p.t.Helper()
	list := p.option(o, data)
	return list[len(list)-1].Type
}

func infoFor(name string) []byte { return wire.InfoRequest{Export: name}.Append(nil) }

func metaFor(name string) []byte {
	return wire.MetaContextRequest{Export: name, Queries: []string{"base:allocation"}}.Append(nil)
}

const noOption wire.Option = 0x7777

func TestModesBeforeAndWithinTLS(t *testing.T) {
	type answers map[string]wire.ReplyType
	for name, tt := range map[string]struct {
		mode          TLSMode
		clear, within answers
	}{
		"FORCEDTLS": {
			ForcedTLS,
			answers{
				"list": wire.RepErrTLSReqd, "info disk": wire.RepErrTLSReqd, "info secret": wire.RepErrTLSReqd,
				"info none": wire.RepErrTLSReqd, "structured": wire.RepErrTLSReqd, "unknown": wire.RepErrTLSReqd,
				"meta disk": wire.RepErrTLSReqd, "starttls with data": wire.RepErrInvalid, "abort": wire.RepAck,
			},
			answers{
				"list": wire.RepAck, "info disk": wire.RepAck, "info secret": wire.RepAck, "info none": wire.RepErrUnknown,
				"structured": wire.RepAck, "unknown": wire.RepErrUnsup, "meta disk": wire.RepAck, "starttls": wire.RepErrInvalid,
				"starttls with data": wire.RepErrInvalid, "abort": wire.RepAck,
			},
		},
		"SELECTIVETLS": {
			SelectiveTLS,
			answers{
				"list": wire.RepAck, "info disk": wire.RepAck, "info secret": wire.RepErrTLSReqd, "go secret": wire.RepErrTLSReqd,
				"info none": wire.RepErrUnknown, "structured": wire.RepAck, "unknown": wire.RepErrUnsup,
				"meta disk": wire.RepAck, "meta secret": wire.RepErrPolicy, "starttls with data": wire.RepErrInvalid, "abort": wire.RepAck,
			},
			answers{
				"list": wire.RepAck, "info disk": wire.RepAck, "info secret": wire.RepAck, "structured": wire.RepAck,
				"meta secret": wire.RepAck, "starttls": wire.RepErrInvalid, "go secret": wire.RepAck,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, ln := serve(t, withTLS(tt.mode))
			ask := func(within bool, want answers) {
				for _, q := range []struct {
					name string
					o    wire.Option
					data []byte
				}{
					{"list", wire.OptList, nil},
					{"info disk", wire.OptInfo, infoFor("disk")},
					{"info secret", wire.OptInfo, infoFor("secret")},
					{"info none", wire.OptInfo, infoFor("none")},
					{"structured", wire.OptStructuredReply, nil},
					{"meta disk", wire.OptSetMetaContext, metaFor("disk")},
					{"meta secret", wire.OptListMetaContext, metaFor("secret")},
					{"unknown", noOption, []byte("x")},
					{"starttls with data", wire.OptStartTLS, []byte("x")},
					{"starttls", wire.OptStartTLS, nil},
					{"go secret", wire.OptGo, infoFor("secret")},
					{"abort", wire.OptAbort, nil},
				} {
					if want[q.name] == 0 {
						continue
					}
					p := dial(t, ln).greet()
					if within {
						p.startTLS()
					}
					if q.name != "structured" && (within || tt.mode == SelectiveTLS) {
						p.want(p.option(wire.OptStructuredReply, nil), wire.RepAck)
					}
					if got := p.final(q.o, q.data); got != want[q.name] {
						t.Errorf("%s (within TLS: %v) is answered by %v, want %v", q.name, within, got, want[q.name])
					}
				}
			}
			ask(false, tt.clear)
			ask(true, tt.within)
		})
	}
}

func TestExportNameNeedsTLS(t *testing.T) {
	for name, tt := range map[string]struct {
		mode   TLSMode
		export string
		flags  wire.ClientFlags
	}{
		"FORCEDTLS":                        {ForcedTLS, "disk", wire.FlagCFixedNewstyle},
		"SELECTIVETLS":                     {SelectiveTLS, "secret", wire.FlagCFixedNewstyle},
		"FORCEDTLS, not fixed newstyle":    {ForcedTLS, "disk", 0},
		"SELECTIVETLS, not fixed newstyle": {SelectiveTLS, "secret", 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, ln := serve(t, withTLS(tt.mode))
			p := dial(t, ln)
			if _, err := wire.ReadGreeting(p.br); err != nil {
				t.Fatal(err)
			}
			p.send(tt.flags.Append(nil))
			p.send(wire.OptionRequest{Option: wire.OptExportName, Data: []byte(tt.export)}.Append(nil))
			p.closed()
		})
	}
}

func TestWithoutFixedNewstyleThereIsNoTLS(t *testing.T) {
	for _, mode := range []TLSMode{ForcedTLS, SelectiveTLS} {
		_, ln := serve(t, withTLS(mode))
		p := dial(t, ln)
		if _, err := wire.ReadGreeting(p.br); err != nil {
			t.Fatal(err)
		}
		p.send(wire.ClientFlags(0).Append(nil))
		p.want(p.option(wire.OptStartTLS, nil), wire.RepErrUnsup)
		p.want(p.option(wire.OptGo, infoFor("secret")), wire.RepErrPolicy)
		p.want(p.option(noOption, nil), wire.RepErrUnsup)
	}
}

func TestTLSDropsWhatWasNegotiated(t *testing.T) {
	_, ln := serve(t, withTLS(SelectiveTLS))
	p := dial(t, ln).greet()
	p.want(p.option(wire.OptStructuredReply, nil), wire.RepAck)
	p.want(p.option(wire.OptSetMetaContext, metaFor("disk")), wire.RepMetaContext, wire.RepAck)
	p.startTLS()
	p.want(p.option(wire.OptSetMetaContext, metaFor("disk")), wire.RepErrInvalid)
	p.option(wire.OptGo, infoFor("disk"))
	p.send(wire.Request{Type: wire.CmdRead, Length: 512, Cookie: 7}.Append(nil))
	if h, err := wire.ReadReply(p.br); err != nil || h.Magic != wire.SimpleReplyMagic {
		t.Errorf("got %+v and %v, want a simple reply", h, err)
	}
}

func TestPlainTextBehindStartTLS(t *testing.T) {
	_, ln := serve(t, withTLS(SelectiveTLS))
	p := dial(t, ln).greet()
	start := wire.OptionRequest{Option: wire.OptStartTLS}.Append(nil)
	p.send(wire.OptionRequest{Option: wire.OptList}.Append(start))
	r, err := wire.ReadOptionReply(p.br, wire.DefaultLimits)
	if err != nil || r.Type != wire.RepAck || r.Option != wire.OptStartTLS {
		t.Fatalf("got %v and %v", r, err)
	}
	p.closed()
	dial(t, ln).greet().startTLS()
}

func TestFailedHandshakeEndsTheSession(t *testing.T) {
	_, ln := serve(t, withTLS(SelectiveTLS))
	p := dial(t, ln).greet()
	p.want(p.option(wire.OptStartTLS, nil), wire.RepAck)
	p.send(wire.OptionRequest{Option: wire.OptList}.Append(nil))
	if b, err := io.ReadAll(p.br); err != nil && !isReset(err) || bytes.Contains(b, []byte("disk")) {
		t.Errorf("got % x and %v", b, err)
	}
	dial(t, ln).greet().startTLS()
}

// A server that closes a socket with unread bytes in it resets the connection.
func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

func TestTLSIsShutDownFirst(t *testing.T) {
	for name, leave := range map[string]func(*peer){
		"NBD_OPT_ABORT": func(p *peer) { p.want(p.option(wire.OptAbort, nil), wire.RepAck) },
		"NBD_CMD_DISC": func(p *peer) {
			p.option(wire.OptGo, infoFor("secret"))
			p.send(wire.Request{Type: wire.CmdDisc}.Append(nil))
		},
		"a violation": func(p *peer) { p.send(bytes.Repeat([]byte{'x'}, 16)) },
		"a missing one": func(p *peer) {
			p.send(wire.OptionRequest{Option: wire.OptExportName, Data: []byte("none")}.Append(nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, ln := serve(t, withTLS(ForcedTLS))
			p := dial(t, ln).greet()
			tc := p.startTLS()
			leave(p)
			p.closed()
			if !tc.Notified() {
				t.Error("the connection ends without close_notify")
			}
		})
	}
}

func TestTransmissionWithinTLS(t *testing.T) {
	_, ln := serve(t, withTLS(ForcedTLS))
	p := dial(t, ln).greet()
	p.startTLS()
	p.want(p.option(wire.OptStructuredReply, nil), wire.RepAck)
	p.option(wire.OptGo, infoFor("disk"))
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	if r := p.do(wire.Request{Type: wire.CmdWrite, Length: uint64(len(data)), Cookie: 1}, data); r.Err != wire.OK {
		t.Fatal(r.Err)
	}
	var many []byte
	for i := range 64 { // replies that go out together
		many = wire.Request{Type: wire.CmdRead, Offset: uint64(i), Length: 256, Cookie: uint64(i)}.Append(many)
	}
	p.send(many)
	for i := range 64 {
		if r := p.reply(wire.Request{Type: wire.CmdRead, Offset: uint64(i), Length: 256, Cookie: uint64(i)}); !bytes.Equal(r.Data, data[i:i+256]) {
			t.Fatalf("reply %d has wrong data", i)
		}
	}
}

func TestTLSConfig(t *testing.T) {
	disk := export.New(1 << 20)
	for name, cfg := range map[string]Config{
		"no server":        {TLS: TLS{Mode: ForcedTLS}, Exports: []Export{{Disk: disk}}},
		"TLS-only, no TLS": {Exports: []Export{{Disk: disk, TLSOnly: true}}},
		"no mode":          {TLS: TLS{Mode: 9}, Exports: []Export{{Disk: disk}}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestCloseDuringHandshake(t *testing.T) {
	s, ln := serve(t, withTLS(ForcedTLS))
	p := dial(t, ln).greet()
	p.want(p.option(wire.OptStartTLS, nil), wire.RepAck)
	_ = s.Close() // must not wait for the client
	p.closed()
}

func TestHandshakeTimeoutHoldsForTLS(t *testing.T) {
	cfg := withTLS(ForcedTLS)
	cfg.HandshakeTimeout = 50 * time.Millisecond
	_, ln := serve(t, cfg)
	p := dial(t, ln).greet()
	p.want(p.option(wire.OptStartTLS, nil), wire.RepAck)
	p.closed()
}
