package client_test

import (
	"errors"
	"slices"
	"testing"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func lba(offset uint64, length uint32, status uint16) wire.LBADescriptor {
	return wire.LBADescriptor{Offset: offset, Length: length, Status: status}
}

func TestLBAStatus(t *testing.T) {
	const page, size = 4096, 1 << 20
	disk := export.NewTracked(export.New(size), "b0")
	for at, b := range map[uint64][]byte{0: slices.Repeat([]byte{1}, page), 4 * page: slices.Repeat([]byte{2}, page)} {
		if err := disk.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := disk.Zero(page, page, true, false); err != nil {
		t.Fatal(err)
	}
	dial, _ := referenceServerOf(t, server.Config{Dialect: wire.GetLBAStatus, Exports: []server.Export{{Disk: disk}}})
	c := connect(t, dial, client.Config{
		Dialect: wire.GetLBAStatus, ExtendedHeaders: true, MetaContexts: []string{client.AllocationContext},
	})
	if c.Structured() || c.Flags()&wire.FlagSendGetLBAStatus == 0 {
		t.Errorf("structured %t, flags %v", c.Structured(), wire.GetLBAStatus.FlagNames(c.Flags()))
	}
	for _, e := range []struct {
		kind           wire.LBAType
		offset, length uint64
		want           wire.LBAStatus
	}{
		{wire.LBAAllocated, 0, 6 * page, wire.LBAStatus{
			lba(0, page, wire.LBAStateAllocated),
			lba(page, page, wire.LBAStateZeroed),
			lba(2*page, 2*page, wire.LBAStateDeallocated),
			lba(4*page, page, wire.LBAStateAllocated),
			lba(5*page, page, wire.LBAStateDeallocated),
		}},
		{wire.LBADirty, page, 4 * page, wire.LBAStatus{
			lba(page, page, wire.LBAStateDirty), lba(2*page, 2*page, wire.LBAStateClean), lba(4*page, page, wire.LBAStateDirty),
		}},
		{0xbeef, 512, 1024, wire.LBAStatus{lba(512, 1024, 0)}},
	} {
		got, err := c.LBAStatus(timeLimit(t), e.offset, e.length, e.kind)
		if err != nil || !slices.Equal(got, e.want) {
			t.Errorf("%v of %d+%d: got %v, %v, want %v", e.kind, e.offset, e.length, got, err, e.want)
		}
	}
	var usage *client.UsageError
	if err := c.ReadAt(timeLimit(t), make([]byte, 512), 0, wire.CmdFlagDF); !errors.As(err, &usage) {
		t.Errorf("NBD_CMD_FLAG_DF, which has the number of something else: %v", err)
	}
	if _, err := c.LBAStatus(timeLimit(t), 0, size+1, 0); !errors.As(err, &usage) {
		t.Errorf("beyond the end: %v", err)
	}
	disconnect(t, c)
}

// Without a bitmap there is no means to tell what is dirty.
func TestLBAStatusOfWhatNobodyKnows(t *testing.T) {
	dial, _ := referenceServerOf(t, server.Config{Dialect: wire.GetLBAStatus, Exports: []server.Export{{Disk: export.New(8192)}}})
	c := connect(t, dial, client.Config{Dialect: wire.GetLBAStatus})
	got, err := c.LBAStatus(timeLimit(t), 0, 8192, wire.LBADirty)
	if want := (wire.LBAStatus{lba(0, 8192, 0)}); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	disconnect(t, c)
}

// A dialect is spoken by those who were told so, and by nobody else.
func TestDialectsTakeTwo(t *testing.T) {
	disk := []server.Export{{Disk: export.New(8192)}}
	dial, _ := referenceServer(t, disk...)
	c := connect(t, dial, client.Config{Dialect: wire.GetLBAStatus})
	var usage *client.UsageError
	if _, err := c.LBAStatus(timeLimit(t), 0, 512, 0); !errors.As(err, &usage) {
		t.Errorf("a server of today: %v", err)
	}
	disconnect(t, c)
	c = connect(t, dial, client.Config{})
	if _, err := c.LBAStatus(timeLimit(t), 0, 512, 0); !errors.As(err, &usage) {
		t.Errorf("a client of today: %v", err)
	}
	disconnect(t, c)

	dial, _ = referenceServerOf(t, server.Config{Dialect: wire.GetLBAStatus, Exports: disk})
	conn, err := dial(timeLimit(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Connect(timeLimit(t), conn, client.Config{}); err == nil {
		t.Error("a client of today takes NBD_FLAG_SEND_DF without structured replies")
	}
}

func TestWriteZeroesRFC(t *testing.T) {
	disk := export.New(1 << 20)
	dial, _ := referenceServerOf(t, server.Config{Dialect: wire.WriteZeroesRFC, Exports: []server.Export{{Disk: disk}}})
	c := connect(t, dial, client.Config{Dialect: wire.WriteZeroesRFC, MetaContexts: []string{client.AllocationContext}})
	if err := c.WriteZeroes(timeLimit(t), 0, 8192, wire.CmdFlagFUA); err != nil {
		t.Fatal(err)
	}
	got, err := c.BlockStatus(timeLimit(t), 0, 8192, 0)
	if want := uint64(wire.StateZero); err != nil || got[client.AllocationContext][0].Status != want {
		t.Errorf("it is not written like data: %v, %v", got, err)
	}
	var usage *client.UsageError
	if err := c.WriteZeroes(timeLimit(t), 0, 512, wire.CmdFlagNoHole); !errors.As(err, &usage) {
		t.Errorf("NBD_CMD_FLAG_NO_HOLE: %v", err)
	}
	disconnect(t, c)
	c = connect(t, dial, client.Config{}) // which does not know better
	if err := c.WriteZeroes(timeLimit(t), 0, 512, wire.CmdFlagNoHole); !errors.Is(err, wire.EINVAL) {
		t.Errorf("NBD_CMD_FLAG_NO_HOLE: %v", err)
	}
	disconnect(t, c)
}
