//go:build (linux || freebsd || darwin) && (amd64 || arm64) && !nopsk

package starttls

import (
	"context"
	"encoding/hex"
	"net"
	"runtime"
)

// A pskServer has the keys of a file.
type pskServer struct {
	lib  *gnutls
	file string
}

// A pskClient has the key of one name.
type pskClient struct {
	lib  *gnutls
	name string
	key  []byte
}

func newPSKServer(file string) (Server, error) {
	lib, err := loadGnuTLS()
	if err != nil {
		return nil, err
	}
	return &pskServer{lib: lib, file: file}, nil
}

func newPSKClient(name string, key []byte) (Client, error) {
	lib, err := loadGnuTLS()
	if err != nil {
		return nil, err
	}
	return &pskClient{lib: lib, name: name, key: key}, nil
}

// Upgrade implements [Server].
func (s *pskServer) Upgrade(ctx context.Context, nc net.Conn) (Conn, error) {
	var creds uintptr
	if err := s.lib.check(s.lib.newServer(&creds), "making credentials"); err != nil {
		return nil, err
	}
	c := credentials{gnutlsPSK, pskPriority, creds, func() { s.lib.freeServer(creds) }}
	if err := s.lib.check(s.lib.serverFile(creds, s.file), "loading pre-shared keys"); err != nil {
		c.free()
		return nil, err
	}
	return establish(ctx, nc, s.lib, gnutlsServer, c)
}

// Upgrade implements [Client].
func (c *pskClient) Upgrade(ctx context.Context, nc net.Conn) (Conn, error) {
	var creds uintptr
	if err := c.lib.check(c.lib.newClient(&creds), "making credentials"); err != nil {
		return nil, err
	}
	own := credentials{gnutlsPSK, pskPriority, creds, func() { c.lib.freeClient(creds) }}
	digits := []byte(hex.EncodeToString(c.key))
	var pin runtime.Pinner // GnuTLS gets a pointer to a struct with a pointer
	pin.Pin(&digits[0])
	defer pin.Unpin()
	key := datum{&digits[0], uint32(len(digits))}
	if err := c.lib.check(c.lib.clientKey(creds, c.name, &key, gnutlsKeyHex), "using the pre-shared key"); err != nil {
		own.free()
		return nil, err
	}
	return establish(ctx, nc, c.lib, gnutlsClient, own)
}
