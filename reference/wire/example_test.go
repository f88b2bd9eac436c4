package wire_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"

	"nbdconform/reference/wire"
)

func ExampleRequest_Append() {
	q := wire.Request{Type: wire.CmdRead, Cookie: 1, Offset: 4096, Length: 512}
	fmt.Printf("% x\n", q.Append(nil))
	// Output: 25 60 95 13 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 10 00 00 00 02 00
}

func ExampleReadReply() {
	stream := wire.SimpleReply{Error: wire.EPERM, Cookie: 1}.Append(nil)
	p, err := wire.ReadReply(bufio.NewReader(bytes.NewReader(stream)))
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Simple, errors.Is(p.Simple.Error, wire.EPERM))
	// Output: simple reply NBD_EPERM cookie 0x1 true
}

func ExampleFormatError() {
	err := wire.MetaContext{Name: "allocation"}.Validate()
	var format *wire.FormatError
	if errors.As(err, &format) {
		fmt.Println(format.Clause)
	}
	// Output: meta.name.syntax
}
