package client_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func TestContextsOfALayerWithBitmaps(t *testing.T) {
	const page = export.PageSize
	disk := export.NewTracked(export.NewLayered(export.FromBytes(append(bytes.Repeat([]byte{1}, page), make([]byte, 3*page)...))), "b0", "b1")
	dial, _ := referenceServer(t, server.Export{Name: "disk", Disk: disk})
	ctx := timeLimit(t)

	conn, err := dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n, err := client.Negotiate(ctx, conn, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]string{
		"qemu:":                {"qemu:allocation-depth", "qemu:dirty-bitmap:b0", "qemu:dirty-bitmap:b1"},
		"qemu:dirty-bitmap:":   {"qemu:dirty-bitmap:b0", "qemu:dirty-bitmap:b1"},
		"qemu:dirty-bitmap:b1": {"qemu:dirty-bitmap:b1"},
		"qemu:dirty-bitmap":    nil,
		"base:":                {"base:allocation"},
		"x-nbdconform:":        {"x-nbdconform:stripes"},
	} {
		got, err := n.ListMetaContext(ctx, "disk", query)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q finds %q, %v, want %q", query, got, err, want)
		}
	}
	selected, err := n.SetMetaContext(ctx, "disk", "base:allocation", "qemu:", "qemu:dirty-bitmap:", "qemu:dirty-bitmap:b0", "qemu:allocation-depth", "x-nbdconform:stripes")
	if err != nil || len(selected) != 4 {
		t.Fatalf("selected %v, %v", selected, err)
	}
	c, err := n.Go(ctx, "disk")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WriteAt(ctx, bytes.Repeat([]byte{2}, page), 2*page, 0); err != nil {
		t.Fatal(err)
	}
	got, err := c.BlockStatus(ctx, 0, 4*page, 0)
	if err != nil {
		t.Fatal(err)
	}
	e := func(pages, status uint64) wire.Extent { return wire.Extent{Length: pages * page, Status: status} }
	want := map[string][]wire.Extent{
		"base:allocation":       {e(1, 0), e(1, 3), e(1, 0), e(1, 3)},
		"qemu:allocation-depth": {e(1, 2), e(1, 0), e(1, 1), e(1, 0)},
		"qemu:dirty-bitmap:b0":  {e(2, 0), e(1, export.Dirty), e(1, 0)},
		"x-nbdconform:stripes":  {e(1, 0), e(1, 1), e(1, 0), e(1, 1)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := c.Disconnect(ctx); err != nil {
		t.Error(err)
	}
}
