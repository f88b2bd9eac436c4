//go:build (linux || freebsd || darwin) && (amd64 || arm64) && !nopsk

package starttls

import (
	"context"
	"net"
)

// An anonServer and an anonClient don't say who they are.
type (
	anonServer struct{ lib *gnutls }
	anonClient struct{ lib *gnutls }
)

func newAnonServer() (Server, error) {
	lib, err := loadGnuTLS()
	if err != nil {
		return nil, err
	}
	return &anonServer{lib}, nil
}

func newAnonClient() (Client, error) {
	lib, err := loadGnuTLS()
	if err != nil {
		return nil, err
	}
	return &anonClient{lib}, nil
}

// Upgrade implements [Server].
func (s *anonServer) Upgrade(ctx context.Context, nc net.Conn) (Conn, error) {
	var creds uintptr
	if err := s.lib.check(s.lib.newAnonServer(&creds), "making credentials"); err != nil {
		return nil, err
	}
	own := credentials{gnutlsAnon, anonPriority, creds, func() { s.lib.dropAnonServer(creds) }}
	if err := s.lib.check(s.lib.anonParams(creds, gnutlsMedium), "choosing Diffie-Hellman parameters"); err != nil {
		own.free()
		return nil, err
	}
	return establish(ctx, nc, s.lib, gnutlsServer, own)
}

// Upgrade implements [Client].
func (c *anonClient) Upgrade(ctx context.Context, nc net.Conn) (Conn, error) {
	var creds uintptr
	if err := c.lib.check(c.lib.newAnonClient(&creds), "making credentials"); err != nil {
		return nil, err
	}
	own := credentials{gnutlsAnon, anonPriority, creds, func() { c.lib.dropAnonClient(creds) }}
	return establish(ctx, nc, c.lib, gnutlsClient, own)
}
