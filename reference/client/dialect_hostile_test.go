package client

import (
	"context"
	"errors"
	"testing"

	"nbdconform/reference/wire"
)

// enterLBA connects to a fake that speaks the GET_LBA_STATUS draft.
func enterLBA(t *testing.T, script func(f *fake)) *Client {
	h := simple()
	h.flags |= wire.FlagSendGetLBAStatus
	return enter(t, h, Config{Dialect: wire.GetLBAStatus}, script)
}

func lba4k(ctx context.Context, c *Client) error {
	_, err := c.LBAStatus(ctx, 0, 4096, wire.LBAAllocated)
	return err
}

func TestLBAStatusOutOfShape(t *testing.T) {
	for _, e := range []struct {
		name   string
		behind []byte
		clause string
	}{
		{"half a descriptor", wire.LBAData(make([]byte, 7)).Append(nil), "get-lba-status.descriptors"},
		{"more than fits", []byte{0xff, 0xff, 0xff, 0xff}, "-"},
		{"an end within the length", []byte{0, 0}, "-"},
		{"an end within the data", []byte{0, 0, 0, 14, 1, 2, 3}, "-"},
	} {
		t.Run(e.name, func(t *testing.T) {
			c := enterLBA(t, func(f *fake) {
				q, _ := f.request()
				f.simple(q, wire.OK, e.behind...)
				_ = f.conn.Close()
			})
			sessionOver(t, lba4k(within10s(t), c), e.clause)
		})
	}
}

// "The server MUST then either close the connection, or send length of
// parameter data bytes of data (which MAY be invalid)."
func TestLBAStatusFails(t *testing.T) {
	c := enterLBA(t, func(f *fake) {
		for _, data := range [][]byte{nil, {1, 2, 3}} {
			q, _ := f.request()
			f.simple(q, wire.EIO, wire.LBAData(data).Append(nil)...)
		}
		q, _ := f.request()
		f.simple(q, wire.EINVAL)
		_ = f.conn.Close()
	})
	for _, want := range []wire.Errno{wire.EIO, wire.EIO, wire.EINVAL} {
		if err := lba4k(within10s(t), c); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	<-c.Done()
}
