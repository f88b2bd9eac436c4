package client_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func TestResize(t *testing.T) {
	const size = 1 << 20
	dial, _ := referenceServer(t, server.Export{Disk: export.NewResizable(size, 2*size), Resizable: true})
	c := connect(t, dial, client.Config{MaxInFlight: 4})
	ctx := timeLimit(t)
	var usage *client.UsageError
	if err := c.ReadAt(ctx, make([]byte, 512), size, 0); !errors.As(err, &usage) {
		t.Errorf("reading beyond the end: %v", err)
	}
	if err := c.Resize(ctx, 2*size+1); !errors.Is(err, wire.ENOSPC) || c.Size() != size {
		t.Errorf("growing too much: %v, size %d", err, c.Size())
	}
	var wg sync.WaitGroup
	for range 8 { // which stay below both sizes
		wg.Go(func() {
			for range 50 {
				if err := c.WriteAt(ctx, bytes.Repeat([]byte{1}, 512), 0, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, n := range []uint64{2 * size, 512, size, 2 * size} {
		if err := c.Resize(ctx, n); err != nil || c.Size() != n || c.Export().Size != n {
			t.Errorf("resizing to %d: %v, size %d", n, err, c.Size())
		}
	}
	wg.Wait()
	if err := c.ReadAt(ctx, make([]byte, 512), 2*size-512, 0); err != nil {
		t.Error(err)
	}
	disconnect(t, c)
}

func TestResizeIsNotForAll(t *testing.T) {
	dial, _ := referenceServer(t, server.Export{Disk: export.New(1 << 20)})
	c := connect(t, dial, client.Config{})
	var usage *client.UsageError
	if err := c.Resize(timeLimit(t), 512); !errors.As(err, &usage) || usage.Clause != "resize.needs-flag" {
		t.Errorf("got %v", err)
	}
	disconnect(t, c)
}
