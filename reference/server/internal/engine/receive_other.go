//go:build !unix

package engine

import (
	"net"

	"nbdconform/reference/server/internal/socket"
)

// A receiver does not exist here: bytes are read into a buffer that is held
// beforehand.
type receiver struct{}

func newReceiver(net.Conn, *socket.Socket, *input) *receiver { return nil }

func (*receiver) read() error { return nil }

func (*receiver) scatter(parts [][]byte) ([][]byte, error) { return parts, nil }
