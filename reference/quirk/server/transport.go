package serverquirk

import "net"

// A transport is a connection whose calls go through functions.
type transport struct {
	net.Conn
	read  func(b []byte) (int, error)
	write func(b []byte) (int, error)
}

func (t transport) Read(b []byte) (int, error) {
	if t.read != nil {
		return t.read(b)
	}
	return t.Conn.Read(b)
}

func (t transport) Write(b []byte) (int, error) {
	if t.write != nil {
		return t.write(b)
	}
	return t.Conn.Write(b)
}
