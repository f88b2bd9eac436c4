package conformance_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"nbdconform/conformance"
	"nbdconform/conformance/subject"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// accept serves every connection to an address by f, until f returns false.
func accept(t *testing.T, f func(net.Conn) bool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				if !f(c) {
					_ = ln.Close()
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// says is a server that says one thing and then listens.
func says(text string) func(net.Conn) bool {
	return func(c net.Conn) bool {
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
		return true
	}
}

// answers is a server of fixed newstyle negotiation with one answer to all.
func answers(f func(wire.Option) []wire.OptionReply) func(net.Conn) bool {
	return func(c net.Conn) bool {
		greeting := wire.Greeting{Flags: wire.FlagFixedNewstyle | wire.FlagNoZeroes}
		if _, err := c.Write(greeting.Append(nil)); err != nil {
			return true
		}
		r := bufio.NewReader(c)
		if _, err := wire.ReadClientFlags(r); err != nil {
			return true
		}
		for {
			q, err := wire.ReadOptionRequest(r, wire.DefaultLimits)
			if err != nil {
				return true
			}
			for _, a := range f(q.Option) {
				a.Option = q.Option
				if _, err := c.Write(a.Append(nil)); err != nil {
					return true
				}
			}
			if q.Option == wire.OptAbort {
				return true
			}
		}
	}
}

// What listens at an address and is no server of NBD ends the run with a line,
// within seconds.
func TestPortsOfOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		serve func(net.Conn) bool
		want  string
	}{
		"a mail server": {says("220 mail.example.org ESMTP\r\n"), `no NBD server listens there: it says "220 mail.example.org ESMTP\r\n"`},
		"a short word":  {says("hi\n"), `no NBD server listens there: it says "hi\n"`},
		"nobody":        {says(""), "no NBD server listens there, or one that wants TLS from the first byte: it says nothing within 5s"},
		"a web server": {func(c net.Conn) bool {
			_ = http.Serve(&single{c}, http.NotFoundHandler())
			return true
		}, "no NBD server listens there, or one that wants TLS"},
		"TLS from the first byte": {func(c net.Conn) bool {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pki.Shared().Server(false).Certificate}, MinVersion: tls.VersionTLS12})
			_ = s.Handshake()
			return true
		}, "no NBD server listens there, or one that wants TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _, err := subject.NewRemoteServer("nbd://"+accept(t, tt.serve), false)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = conformance.DiscoverServer(t.Context(), server, conformance.ServerOptions{})
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 15*time.Second {
				t.Errorf("that took %v", took)
			}
		})
	}
}

// single is a listener with one connection, which it waits for the end of.
type single struct{ conn net.Conn }

func (l *single) Accept() (net.Conn, error) {
	if l.conn == nil {
		time.Sleep(10 * time.Second)
		return nil, io.EOF
	}
	c := l.conn
	l.conn = nil
	return c, nil
}
func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return nil }

// A server that was seen breaking a MUST before the first spec gets a report.
func TestViolationsBeforeTheFirstSpec(t *testing.T) {
	t.Parallel()
	const bad, ihaveopt = "\xde\xad\xbe\xef\xde\xad\xbe\xef", "IHAVEOPT"
	for name, tt := range map[string]struct {
		serve func(net.Conn) bool
		want  string // a line that says why
	}{
		"TLS for everything, and no TLS": {
			answers(func(o wire.Option) []wire.OptionReply {
				if o == wire.OptStartTLS {
					return []wire.OptionReply{{Type: wire.RepErrUnsup}}
				}
				return []wire.OptionReply{{Type: wire.RepErrTLSReqd}}
			}), "judge.tls.mode.consistent",
		},
		"entries behind an error": {
			answers(func(o wire.Option) []wire.OptionReply {
				switch o {
				case wire.OptList:
					entry := wire.ServerReply{Name: "disk"}.Append(nil)
					return []wire.OptionReply{{Type: wire.RepErrPolicy}, {Type: wire.RepServer, Data: entry}, {Type: wire.RepAck}}
				case wire.OptInfo, wire.OptGo:
					return []wire.OptionReply{{Type: wire.RepErrUnknown}}
				}
				return []wire.OptionReply{{Type: wire.RepErrUnsup}}
			}), "judge.",
		},
		"another first magic":  {says(bad + ihaveopt + "\x00\x03"), "greeting.fixed-newstyle"},
		"another second magic": {says("NBDMAGIC" + bad + "\x00\x03"), "greeting.fixed-newstyle"},
		"magics in reverse":    {says("CIGAMDBNTPOEVAHI\x00\x03"), "greeting.fixed-newstyle"},
		"a crash":              {func(net.Conn) bool { return false }, "greeting.fixed-newstyle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _, err := subject.NewRemoteServer("nbd://"+accept(t, tt.serve), false)
			if err != nil {
				t.Fatal(err)
			}
			found, err := conformance.DiscoverServer(t.Context(), server, conformance.ServerOptions{Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			var r result.Result
			round, err := conformance.NewRound(conformance.Config{
				Subject: found, Seed: 1, Filter: "id: containsAny {greeting.fixed-newstyle, abort.ack, read.ends}",
				Done: func(s result.Spec, _ []result.Observation) { r.Specs = append(r.Specs, s) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := round.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			seen := false
			for _, s := range r.Specs {
				seen = seen || strings.HasPrefix(s.ID, tt.want) && s.Verdict.Broken()
			}
			if r.Exit() != result.ExitFails || !seen {
				t.Errorf("exit status %d, doubts %q", r.Exit(), r.Doubts())
				for _, s := range r.Specs {
					t.Logf("%s: %s: %s", s.ID, s.Verdict, s.Message)
				}
			}
		})
	}
}
