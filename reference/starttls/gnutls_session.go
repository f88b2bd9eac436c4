//go:build (linux || freebsd || darwin) && (amd64 || arm64) && !nopsk

package starttls

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"time"
)

// BuiltWithPSK says whether this program can have pre-shared keys at all.
const BuiltWithPSK = true

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
	free := func() { s.lib.freeServer(creds) }
	if err := s.lib.check(s.lib.serverFile(creds, s.file), "loading pre-shared keys"); err != nil {
		free()
		return nil, err
	}
	return establish(ctx, nc, s.lib, gnutlsServer, creds, free)
}

// Upgrade implements [Client].
func (c *pskClient) Upgrade(ctx context.Context, nc net.Conn) (Conn, error) {
	var creds uintptr
	if err := c.lib.check(c.lib.newClient(&creds), "making credentials"); err != nil {
		return nil, err
	}
	free := func() { c.lib.freeClient(creds) }
	digits := []byte(hex.EncodeToString(c.key))
	var pin runtime.Pinner // GnuTLS gets a pointer to a struct with a pointer
	pin.Pin(&digits[0])
	defer pin.Unpin()
	key := datum{&digits[0], uint32(len(digits))}
	if err := c.lib.check(c.lib.clientKey(creds, c.name, &key, gnutlsKeyHex), "using the pre-shared key"); err != nil {
		free()
		return nil, err
	}
	return establish(ctx, nc, c.lib, gnutlsClient, creds, free)
}

// establish makes a session and does the handshake. free frees the credentials.
func establish(ctx context.Context, nc net.Conn, lib *gnutls, side uint32, creds uintptr, free func()) (Conn, error) {
	c := &pskConn{nc: nc, lib: lib, number: lastNumber.Add(1), free: free}
	if err := lib.check(lib.init(&c.session, side|gnutlsNonblock), "making a TLS session"); err != nil {
		free()
		return nil, err
	}
	sessions.Store(c.number, c)
	err := errors.Join(
		lib.check(lib.priority(c.session, pskPriority, nil), "choosing algorithms"),
		lib.check(lib.setCreds(c.session, gnutlsPSK, creds), "setting credentials"),
	)
	lib.setPtr(c.session, c.number)
	lib.setPush(c.session, lib.push)
	lib.setPull(c.session, lib.pull)
	lib.setErrno(c.session, lib.e)
	if err == nil {
		err = c.handshake(ctx)
	}
	if err != nil {
		c.release()
		return nil, fmt.Errorf("doing the TLS handshake: %w", err)
	}
	name := lib.versionName(lib.version(c.session)) // such as TLS1.3
	c.protocol = strings.Replace(name, "TLS", "TLS ", 1)
	return c, nil
}

// handshake moves what the two sides have to say until they agree.
func (c *pskConn) handshake(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = c.nc.SetDeadline(time.Unix(1, 0)) })
	err := c.shake()
	if !stop() {
		return fmt.Errorf("%w: %w", context.Cause(ctx), errors.Join(err, context.Cause(ctx)))
	}
	return err
}

func (c *pskConn) shake() error {
	for {
		c.mu.Lock()
		code := c.lib.handshake(c.session)
		c.mu.Unlock()
		sent := c.flush()
		switch {
		case code == 0:
			return sent
		case sent != nil:
			return sent
		case code == gnutlsAgain:
			if err := c.fetch(); err != nil {
				return err
			}
			if c.ended {
				return io.ErrUnexpectedEOF
			}
		case c.lib.fatal(code) != 0:
			return c.lib.check(code, "agreeing")
		}
	}
}
