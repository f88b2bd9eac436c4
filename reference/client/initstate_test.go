package client_test

import (
	"testing"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func TestInitState(t *testing.T) {
	const size = 1 << 20
	data := export.FromBytes([]byte("data"))
	allocated := export.New(size)
	if err := allocated.Zero(0, size, true, false); err != nil {
		t.Fatal(err)
	}
	mixed := export.New(size)
	if err := mixed.WriteAt([]byte{1}, size/2); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]struct {
		export server.Export
		want   wire.InitFlags
	}{
		"one hole":         {server.Export{Disk: export.New(size), InitState: true}, wire.InitSparse | wire.InitZero},
		"data":             {server.Export{Disk: data, InitState: true}, 0},
		"allocated zeroes": {server.Export{Disk: allocated, InitState: true}, wire.InitZero},
		"data and holes":   {server.Export{Disk: mixed, InitState: true}, wire.InitSparse},
		"not offered":      {server.Export{Disk: export.New(size)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dial, _ := referenceServer(t, e.export)
			c := connect(t, dial, client.Config{Infos: []wire.InfoType{wire.InfoInitState}})
			if got := c.Export().InitState; got != e.want {
				t.Errorf("got %v, want %v", got, e.want)
			}
			disconnect(t, c)
			c = connect(t, dial, client.Config{}) // which does not ask
			if got := c.Export().InitState; got != 0 {
				t.Errorf("got %v without asking", got)
			}
			disconnect(t, c)
		})
	}
}
