package client_test

import (
	"context"
	"fmt"
	"net"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
)

func ExampleConnect() {
	s, err := server.New(server.Config{Exports: []server.Export{{Name: "disk", Disk: export.New(1 << 20)}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	near, far := net.Pipe()
	go func() { _ = s.ServeConn(ctx, far) }()

	c, err := client.Connect(ctx, near, client.Config{Export: "disk", MetaContexts: []string{client.AllocationContext}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = c.WriteAt(ctx, []byte("hello"), 4096, 0)
	buf := make([]byte, 5)
	fmt.Println(c.ReadAt(ctx, buf, 4096, 0), string(buf))
	fmt.Println(c.ReadAt(ctx, buf, c.Size(), 0))
	fmt.Println(c.Close())
	// Output:
	// <nil> hello
	// NBD_CMD_READ at offset 1048576, length 5: the size of the export is 1048576 (size.bounds.client)
	// <nil>
}
