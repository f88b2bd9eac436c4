package client

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"

	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reference/wire"
)

func tlsConfig(mode TLSMode) Config {
	return Config{TLS: TLS{Mode: mode, Client: pki.Shared().Client("localhost")}}
}

// upgrade starts TLS on the fake's side.
func (f *fake) upgrade() starttls.Conn {
	conn, err := pki.Shared().Server(true).Upgrade(within10s(f.t), f.conn)
	f.must(err)
	f.conn = conn
	f.r.Reset(conn)
	return conn
}

func TestTLSComesFirst(t *testing.T) {
	conn := serveTCP(t, func(f *fake) {
		f.greet(fixed)
		f.option(wire.OptStartTLS)
		f.answer(wire.OptStartTLS, wire.RepAck, nil)
		conn := f.upgrade()
		f.option(wire.OptStructuredReply)
		f.answer(wire.OptStructuredReply, wire.RepAck, nil)
		f.option(wire.OptGo)
		f.info(wire.OptGo, wire.ExportInfo{Size: 1 << 20, Flags: allFlags}.Info())
		f.answer(wire.OptGo, wire.RepAck, nil)
		if q, _ := f.request(); q.Type != wire.CmdDisc {
			t.Errorf("%v comes where NBD_CMD_DISC is due", q)
		}
		f.must(conn.CloseWrite())
		if f.gone(); !conn.Notified() {
			t.Error("the client does not shut TLS down")
		}
	})
	c, err := Connect(within10s(t), conn, tlsConfig(TLSRequire))
	if err != nil {
		t.Fatal(err)
	}
	if c.TLS() == nil || c.TLS().Protocol() != "TLS 1.3" || !c.Structured() {
		t.Error("the session is not what was negotiated")
	}
	if err := c.Disconnect(within10s(t)); err != nil {
		t.Error(err)
	}
}

func TestStartTLSDropsState(t *testing.T) {
	conn := serveTCP(t, func(f *fake) {
		f.greet(fixed)
		f.option(wire.OptStructuredReply)
		f.answer(wire.OptStructuredReply, wire.RepAck, nil)
		f.option(wire.OptStartTLS)
		f.answer(wire.OptStartTLS, wire.RepAck, nil)
		f.upgrade()
		f.option(wire.OptAbort)
		f.answer(wire.OptAbort, wire.RepAck, nil)
	})
	n, err := Negotiate(within10s(t), conn, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.StartTLS(within10s(t), pki.Shared().Client("localhost")); err != nil {
		t.Fatal(err)
	}
	if n.Structured() {
		t.Error("structured replies outlive the start of TLS")
	}
	var misuse *UsageError
	if err := n.StartTLS(within10s(t), pki.Shared().Client("localhost")); !errors.As(err, &misuse) {
		t.Errorf("a second start: %v", err)
	}
	if err := n.Abort(within10s(t)); err != nil {
		t.Error(err)
	}
}

func TestServerWithoutTLS(t *testing.T) {
	for name, tt := range map[string]struct {
		mode  TLSMode
		flags wire.HandshakeFlags
		want  error
	}{
		"required":                    {TLSRequire, fixed, ErrNoTLS},
		"preferred":                   {TLSPrefer, fixed, nil},
		"required, not fixed":         {TLSRequire, 0, ErrNoTLS},
		"preferred, not fixed":        {TLSPrefer, 0, nil},
		"off, and nobody is bothered": {TLSOff, fixed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			conn := serve(t, func(f *fake) {
				f.greet(tt.flags)
				if tt.flags == 0 {
					_, _ = f.r.ReadByte()
					return
				}
				if tt.mode != TLSOff {
					f.option(wire.OptStartTLS)
					f.answer(wire.OptStartTLS, wire.RepErrUnsup, nil)
				}
				if tt.mode != TLSRequire {
					f.option(wire.OptStructuredReply)
					f.answer(wire.OptStructuredReply, wire.RepAck, nil)
				}
				f.option(wire.OptAbort)
				f.answer(wire.OptAbort, wire.RepAck, nil)
			})
			n, err := Negotiate(within10s(t), conn, tlsConfig(tt.mode))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err == nil {
				_ = n.Close()
			}
		})
	}
}

func TestTLSGoesWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(f *fake)
		want   string
	}{
		"plain text behind the acknowledgement": {func(f *fake) {
			ack := wire.OptionReply{Option: wire.OptStartTLS, Type: wire.RepAck}.Append(nil)
			f.send(wire.OptionReply{Option: wire.OptStructuredReply, Type: wire.RepAck}.Append(ack))
		}, "in the clear"},
		"plain text instead of TLS": {func(f *fake) {
			f.answer(wire.OptStartTLS, wire.RepAck, nil)
			_, _ = f.r.Peek(100) // the client's part of the handshake
			f.send(bytes.Repeat([]byte("IHAVEOPT"), 8))
		}, "handshake"},
		"hangs up": {func(f *fake) { f.answer(wire.OptStartTLS, wire.RepAck, nil) }, "handshake"},
		"certificate of somebody else": {func(f *fake) {
			f.answer(wire.OptStartTLS, wire.RepAck, nil)
			p, err := pki.New("localhost")
			f.must(err)
			_, _ = p.Server(false).Upgrade(within10s(f.t), f.conn)
		}, "unknown authority"},
		"data in the acknowledgement": {func(f *fake) { f.answer(wire.OptStartTLS, wire.RepAck, []byte("x")) }, "NBD_REP_ACK"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := serveTCP(t, func(f *fake) {
				f.greet(fixed)
				f.option(wire.OptStartTLS)
				tt.answer(f)
			})
			_, err := Negotiate(within10s(t), conn, tlsConfig(TLSPrefer)) // even then: too late to do without
			var ended *SessionError
			if !errors.As(err, &ended) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// serveTCP is serve on a connection that takes bytes which nobody reads yet.
func serveTCP(t testing.TB, script func(f *fake)) net.Conn {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	near, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, far, script)
	return near
}
