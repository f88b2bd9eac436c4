package client_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// referenceServer serves exports at the other end of what the dialler returns.
func referenceServer(t testing.TB, exports ...server.Export) (dialler, *server.Server) {
	t.Helper()
	return referenceServerOf(t, server.Config{Exports: exports})
}

func referenceServerOf(t testing.TB, cfg server.Config) (dialler, *server.Server) {
	t.Helper()
	s, err := server.New(cfg)
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
		if err := <-served; !errors.Is(err, server.ErrClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
	}, s
}

func TestReferenceServer(t *testing.T) {
	for name, e := range map[string]server.Export{
		"default":     {},
		"constraints": {Constraints: wire.SizeConstraints{Minimum: 4096, Preferred: 8192, MaxPayload: 16384}, RequireBlockSize: true},
		"bare":        {Omit: wire.FlagSendFlush | wire.FlagSendFUA | wire.FlagSendTrim | wire.FlagSendWriteZeroes | wire.FlagSendFastZero | wire.FlagSendDF | wire.FlagSendCache, Contexts: []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			e.Name, e.Disk = "disk", export.New(4<<20)
			dial, _ := referenceServer(t, e)
			exercise(t, dial, "disk")
		})
	}
}

func TestReferenceServerRefuses(t *testing.T) {
	dial, _ := referenceServer(t, server.Export{Name: "a", Disk: export.New(1 << 20), ReadOnly: true})
	conn, err := dial(timeLimit(t))
	if err != nil {
		t.Fatal(err)
	}
	var refusal *client.OptionError
	if _, err := client.Connect(timeLimit(t), conn, client.Config{Export: "b"}); !errors.As(err, &refusal) || refusal.Type != wire.RepErrUnknown {
		t.Errorf("got %v, want %v", err, wire.RepErrUnknown)
	}
}

func TestReferenceServerShutsDown(t *testing.T) {
	dial, s := referenceServer(t, server.Export{Disk: export.New(1 << 20)})
	c := connect(t, dial, client.Config{})
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(timeLimit(t)) }()
	var err error
	for err == nil {
		err = c.ReadAt(timeLimit(t), make([]byte, 512), 0, 0)
		time.Sleep(time.Millisecond)
	}
	if !errors.Is(err, wire.ESHUTDOWN) {
		t.Errorf("got %v, want %v", err, wire.ESHUTDOWN)
	}
	<-c.Done()
	if err := <-down; err != nil {
		t.Errorf("shutting down: %v", err)
	}
}
