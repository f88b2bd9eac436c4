package client_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// oldServer serves one disk by an older negotiation.
func oldServer(t *testing.T, h server.Handshake) dialler {
	t.Helper()
	s, err := server.New(server.Config{Handshake: h, Exports: []server.Export{{Name: "disk", Disk: export.New(8 << 20)}}})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), listener) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-served //nolint:errcheck // it ends with its listener
	})
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
	}
}

func TestOlderHandshakes(t *testing.T) {
	for name, h := range map[string]server.Handshake{"oldstyle": server.Oldstyle, "newstyle": server.Newstyle} {
		t.Run(name, func(t *testing.T) {
			dial := oldServer(t, h)
			c := connect(t, dial, client.Config{Oldstyle: true, MetaContexts: []string{"base:allocation"}})
			if c.Structured() || c.Size() != 8<<20 {
				t.Errorf("structured replies %v, size %d", c.Structured(), c.Size())
			}
			exerciseCommands(t, c)
			exerciseConcurrency(t, c)
			disconnect(t, c)
		})
	}
}

func TestOldstyleHasToBeAllowed(t *testing.T) {
	dial := oldServer(t, server.Oldstyle)
	conn, err := dial(timeLimit(t))
	if err != nil {
		t.Fatal(err)
	}
	var over *client.SessionError
	if _, err := client.Connect(timeLimit(t), conn, client.Config{}); !errors.As(err, &over) || !strings.Contains(err.Error(), "oldstyle") {
		t.Errorf("got %v", err)
	}
}

func TestOldstyleHasNoOptions(t *testing.T) {
	dial := oldServer(t, server.Oldstyle)
	conn, err := dial(timeLimit(t))
	if err != nil {
		t.Fatal(err)
	}
	n, err := client.Negotiate(timeLimit(t), conn, client.Config{Oldstyle: true})
	if err != nil {
		t.Fatal(err)
	}
	var usage *client.UsageError
	if _, err := n.List(timeLimit(t)); !errors.As(err, &usage) {
		t.Errorf("listing exports: %v", err)
	}
	if _, err := n.ExportName(timeLimit(t), "disk"); !errors.As(err, &usage) {
		t.Errorf("choosing an export: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// Newstyle servers hung up on options that they did not know.
func TestNewstyleServerKnowsOneOption(t *testing.T) {
	conn, err := oldServer(t, server.Newstyle)(timeLimit(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw := client.NewRaw(conn)
	if g, err := raw.Greeting(timeLimit(t)); err != nil || g.Flags != wire.FlagNoZeroes {
		t.Fatalf("greeting %v, %v", g.Flags, err)
	}
	if err := raw.SendFlags(timeLimit(t), wire.FlagCNoZeroes); err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Option(timeLimit(t), wire.OptionRequest{Option: wire.OptPeekExport}); !client.Ended(err) {
		t.Errorf("got %v", err)
	}
}
