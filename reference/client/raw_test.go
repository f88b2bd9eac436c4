package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"nbdconform/reference/wire"
)

func TestRawConversation(t *testing.T) {
	ctx := within10s(t)
	conn := serve(t, func(f *fake) {
		f.enter(simple())
		q, _ := f.request()
		f.simple(q, wire.OK, 1, 2, 3)
		f.send([]byte("bye"))
	})
	defer func() { _ = conn.Close() }()
	c := NewRaw(conn)
	g, err := c.Greeting(ctx)
	if err != nil || g.Flags != fixed {
		t.Fatal(g, err)
	}
	if err := c.SendFlags(ctx, wire.FlagCFixedNewstyle); err != nil {
		t.Fatal(err)
	}
	replies, err := c.Option(ctx, wire.OptionRequest{Option: wire.OptGo, Data: wire.InfoRequest{}.Append(nil)})
	if err != nil || len(replies) != 2 || replies[1].Type != wire.RepAck {
		t.Fatal(replies, err)
	}
	if err := c.SendRequest(ctx, wire.Request{Type: wire.CmdRead, Length: 3, Cookie: 5}, nil); err != nil {
		t.Fatal(err)
	}
	p, err := c.ReplyHeader(ctx)
	if err != nil || p.Cookie() != 5 {
		t.Fatal(p, err)
	}
	if b, err := c.Data(ctx, 3); err != nil || string(b) != "\x01\x02\x03" {
		t.Fatal(b, err)
	}
	if rest, err := c.EOF(ctx); err != nil || string(rest) != "bye" {
		t.Fatalf("%q, %v", rest, err)
	}
}

// A context that ends wakes a receiver and leaves a sender alone.
func TestRawContextEnds(t *testing.T) {
	conn := serve(t, func(f *fake) {
		time.Sleep(100 * time.Millisecond)
		f.greet(fixed)
	})
	defer func() { _ = conn.Close() }()
	c := NewRaw(conn)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	sent := make(chan error)
	go func() { sent <- c.SendFlags(within10s(t), 0) }()
	if _, err := c.Greeting(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	go func() { // the fake's greeting wants a reader before it reads the flags
		_ = conn.SetReadDeadline(time.Time{})
		_, _ = c.Greeting(within10s(t))
	}()
	if err := <-sent; err != nil {
		t.Error(err)
	}
}
