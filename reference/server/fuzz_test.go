package server

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// FuzzServeConn sends anything at all to the server. It may end the session, but must
// neither panic nor stay once the client has gone.
func FuzzServeConn(f *testing.F) {
	start := (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Append(nil)
	start = wire.OptionRequest{Option: wire.OptStructuredReply}.Append(start)
	start = wire.OptionRequest{
		Option: wire.OptSetMetaContext,
		Data:   wire.MetaContextRequest{Queries: []string{export.BaseAllocation, export.Depth}}.Append(nil),
	}.Append(start)
	start = wire.OptionRequest{Option: wire.OptGo, Data: wire.InfoRequest{}.Append(nil)}.Append(start)
	f.Add(start)
	for c := range wire.CmdResize + 1 {
		q := wire.Request{Type: c, Cookie: 3, Offset: 4000, Length: 9000}
		f.Add(append(q.Append(start[:len(start):len(start)]), make([]byte, q.PayloadLength(false))...))
	}
	s, err := New(oneExport(1<<20 + 100))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, said []byte) {
		near, far := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- s.ServeConn(context.Background(), far) }()
		go func() { _, _ = io.Copy(io.Discard, near) }()
		_ = near.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = near.Write(said)
		_ = near.Close()
		select {
		case <-done: //nolint:errcheck // whatever it is, it ended
		case <-time.After(10 * time.Second):
			t.Fatal("the server does not let go")
		}
	})
}
