package server_test

import (
	"context"
	"fmt"
	"net"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// Serve a read-only disk whose server claims to have written what it is sent.
func Example() {
	s, err := server.New(server.Config{
		Exports: []server.Export{{Name: "disk", Disk: export.New(1 << 40), ReadOnly: true}},
		Hooks: &server.Hooks{Reply: func(x *server.Exchange) {
			if x.Is(wire.CmdWrite) && x.Err() == wire.EPERM {
				x.Succeed()
			}
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // when the clients had enough
	fmt.Println(s.Serve(ctx, ln))
	// Output: context canceled
}
