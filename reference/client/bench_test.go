package client_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// echo is a server that answers reads with whatever and takes everything else,
// over the handshake of NBD_OPT_EXPORT_NAME, with simple replies.
func echo(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReaderSize(conn, 256<<10)
	_, _ = conn.Write(wire.Greeting{Flags: wire.FlagNoZeroes}.Append(nil))
	_, _ = wire.ReadClientFlags(r)
	_, _ = wire.ReadOptionRequest(r, wire.DefaultLimits)
	flags := wire.FlagHasFlags | wire.FlagSendFlush
	_, _ = conn.Write(wire.ExportNameReply{Size: 1 << 40, Flags: flags}.Append(nil))
	zeroes, out := make([]byte, 1<<20), make([]byte, 0, 2<<20)
	for {
		q, err := wire.ReadRequest(r)
		if err != nil || q.Type == wire.CmdDisc {
			return
		}
		if _, err := r.Discard(int(q.PayloadLength(false))); err != nil {
			return
		}
		out = wire.SimpleReply{Cookie: q.Cookie}.Append(out)
		if q.Type == wire.CmdRead {
			out = append(out, zeroes[:q.Length]...)
		}
		if r.Buffered() < wire.RequestSize || len(out) > 1<<19 {
			if _, err := conn.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
	}
}

func pipe(testing.TB) (net.Conn, net.Conn) { return net.Pipe() }

func socket(t testing.TB) (near, far net.Conn) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if near, err = new(net.Dialer).DialContext(t.Context(), "unix", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func benchClient(b testing.TB, link func(testing.TB) (net.Conn, net.Conn)) *client.Client {
	near, far := link(b)
	var group sync.WaitGroup
	group.Go(func() { echo(far) })
	c, err := client.Connect(context.Background(), near, client.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
		group.Wait()
	})
	return c
}

func BenchmarkClient(b *testing.B) {
	for _, link := range []struct {
		name string
		make func(testing.TB) (net.Conn, net.Conn)
	}{{"pipe", pipe}, {"unix", socket}} {
		for _, size := range []int{4 << 10, 256 << 10} {
			for _, inFlight := range []int{1, 16} {
				for _, cancelable := range []bool{false, true} {
					name := fmt.Sprintf("%s/%dKiB/in-flight=%d/cancelable=%t", link.name, size>>10, inFlight, cancelable)
					b.Run("read/"+name, func(b *testing.B) {
						bench(b, benchClient(b, link.make), size, inFlight, cancelable, (*client.Client).ReadAt)
					})
					b.Run("write/"+name, func(b *testing.B) {
						bench(b, benchClient(b, link.make), size, inFlight, cancelable, (*client.Client).WriteAt)
					})
				}
			}
		}
	}
}

func bench(b *testing.B, c *client.Client, size, inFlight int, cancelable bool, do func(*client.Client, context.Context, []byte, uint64, wire.CommandFlags) error) {
	ctx := context.Background()
	if cancelable {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	var group sync.WaitGroup
	b.ResetTimer()
	for w := range inFlight {
		group.Go(func() {
			buf := make([]byte, size)
			for range (b.N + w) / inFlight {
				if err := do(c, ctx, buf, 0, 0); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestRequestsAllocateNothing(t *testing.T) {
	c := benchClient(t, socket)
	buf := make([]byte, 4096)
	ctx := context.Background()
	for name, do := range map[string]func() error{
		"read":  func() error { return c.ReadAt(ctx, buf, 0, 0) },
		"write": func() error { return c.WriteAt(ctx, buf, 0, 0) },
		"flush": func() error { return c.Flush(ctx) },
	} {
		allocs := testing.AllocsPerRun(200, func() {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		})
		if allocs >= 1 {
			t.Errorf("%s: %.1f allocations", name, allocs)
		}
	}
}
