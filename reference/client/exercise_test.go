package client_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// A dialler connects to a server under test.
type dialler func(ctx context.Context) (net.Conn, error)

func timeLimit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func connect(t testing.TB, dial dialler, cfg client.Config) *client.Client {
	t.Helper()
	conn, err := dial(timeLimit(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Connect(timeLimit(t), conn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func disconnect(t testing.TB, c *client.Client) {
	t.Helper()
	if err := c.Disconnect(timeLimit(t)); err != nil {
		t.Errorf("disconnecting: %v", err)
	}
}

// exercise does everything that the client can do with a writable export of a real server.
func exercise(t *testing.T, dial dialler, export string) {
	t.Run("haggling", func(t *testing.T) { exerciseHaggling(t, dial, export) })
	for name, cfg := range map[string]client.Config{
		"simple":     {SimpleReplies: true},
		"structured": {MetaContexts: []string{client.AllocationContext}},
		"small":      {MaxRequest: 8192, MaxInFlight: 3},
		"extended":   {ExtendedHeaders: true, MetaContexts: []string{client.AllocationContext}},
	} {
		cfg.Export = export
		t.Run(name, func(t *testing.T) {
			c := connect(t, dial, cfg)
			t.Logf("%+v contexts %v", c.Export(), c.Contexts())
			exerciseCommands(t, c)
			exerciseConcurrency(t, c)
			disconnect(t, c)
		})
	}
	t.Run("copying", func(t *testing.T) { exerciseCopying(t, dial, export) })
}

func exerciseHaggling(t *testing.T, dial dialler, export string) {
	ctx := timeLimit(t)
	conn, err := dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n, err := client.Negotiate(ctx, conn, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var refusal *client.OptionError
	list, err := n.List(ctx)
	t.Logf("exports %+v, %v", list, err)
	if err != nil && !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	e, err := n.Info(ctx, export, wire.InfoName, wire.InfoDescription)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", e)
	for _, queries := range [][]string{nil, {"base:"}, {"x-nonsense:"}} {
		if !n.Structured() {
			break
		}
		names, err := n.ListMetaContext(ctx, export, queries...)
		t.Logf("contexts %q: %q, %v", queries, names, err)
		if err != nil && !errors.As(err, &refusal) {
			t.Fatal(err)
		}
	}
	if err := n.Abort(ctx); err != nil {
		t.Errorf("aborting: %v", err)
	}
}

func exerciseCommands(t *testing.T, c *client.Client) {
	ctx := timeLimit(t)
	block := uint64(max(c.Constraints().Minimum, 512))
	want := bytes.Repeat([]byte{0x5a}, int(64*block))
	check := func(what string, err error) {
		t.Helper()
		var misuse *client.UsageError
		if err != nil && !errors.As(err, &misuse) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := c.WriteAt(ctx, want, 4*block, 0); err != nil {
		t.Fatal(err)
	}
	check("writing with FUA", c.WriteAt(ctx, want[:block], 4*block, wire.CmdFlagFUA))
	if err := c.WriteZeroes(ctx, 8*block, 8*block, wire.CmdFlagNoHole); err == nil {
		clear(want[4*block : 12*block])
	} else {
		check("writing zeroes", err)
	}
	got := make([]byte, len(want))
	if err := c.ReadAt(ctx, got, 4*block, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("reading: %v, or the data is wrong", err)
	}
	clear(got)
	if err := c.ReadAt(ctx, got, 4*block, wire.CmdFlagDF); err == nil && !bytes.Equal(got, want) {
		t.Error("an unfragmented read gets wrong data")
	} else {
		check("reading unfragmented", err)
	}
	check("caching", c.Cache(ctx, 0, 64*block))
	check("trimming", c.Trim(ctx, 0, 64*block, 0))
	check("flushing", c.Flush(ctx))
	if err := c.WriteZeroes(ctx, 0, 128*block, wire.CmdFlagFastZero); !errors.Is(err, wire.ENOTSUP) {
		check("writing zeroes fast", err)
	}
	for _, flags := range []wire.CommandFlags{0, wire.CmdFlagReqOne} {
		status, err := c.BlockStatus(ctx, 0, c.Size()-c.Size()%block, flags)
		check("block status", err)
		if err == nil && len(status[client.AllocationContext]) == 0 {
			t.Errorf("block status: %v", status)
		}
	}
}

// exerciseConcurrency has goroutines read and write regions of their own.
func exerciseConcurrency(t *testing.T, c *client.Client) {
	const workers, region = 8, 128 << 10
	var group sync.WaitGroup
	for w := range uint64(workers) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, w))
			model, got := make([]byte, region), make([]byte, region)
			base := w * region
			if err := c.WriteAt(timeLimit(t), model, base, 0); err != nil {
				t.Error(err)
				return
			}
			for range 50 {
				from := random.Uint64N(region/4096) * 4096
				to := from + (1+random.Uint64N((region-from)/4096))*4096
				ctx := context.Background()
				if random.IntN(2) == 0 {
					ctx = timeLimit(t)
				}
				if random.IntN(2) == 0 {
					for i := range model[from:to] {
						model[from:to][i] = byte(random.Uint32())
					}
					if err := c.WriteAt(ctx, model[from:to], base+from, 0); err != nil {
						t.Error(err)
						return
					}
				}
				if err := c.ReadAt(ctx, got[from:to], base+from, 0); err != nil || !bytes.Equal(got[from:to], model[from:to]) {
					t.Errorf("reading %d bytes at %d: %v, or the data is wrong", to-from, base+from, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func exerciseCopying(t *testing.T, dial dialler, export string) {
	c := connect(t, dial, client.Config{Export: export, MetaContexts: []string{client.AllocationContext}})
	image := make([]byte, c.Size())
	for i := 0; i < len(image); i += 256 << 10 {
		for j := range image[i:min(i+100<<10, len(image))] {
			image[i+j] = byte(i>>12 ^ j)
		}
	}
	if err := client.CopyIn(timeLimit(t), c, bytes.NewReader(image), c.Size(), client.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	got := make(buffer, len(image))
	if err := client.CopyOut(timeLimit(t), got, c, client.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, image) {
		t.Error("the image comes back different")
	}
	disconnect(t, c)
}

type buffer []byte

func (b buffer) WriteAt(p []byte, at int64) (int, error) { return copy(b[at:], p), nil }

func clientConfig(export string) client.Config {
	return client.Config{Export: export, MetaContexts: []string{client.AllocationContext}}
}
