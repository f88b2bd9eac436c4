//go:build (linux || freebsd || darwin) && (amd64 || arm64) && !nopsk

package starttls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// BuiltWithGnuTLS says whether this program can have what GnuTLS is for at all.
const BuiltWithGnuTLS = true

// credentials are what one session goes by, until they are freed.
type credentials struct {
	kind     int32
	priority string
	handle   uintptr
	free     func()
}

// establish makes a session and does the handshake. It frees the credentials
// with the session.
func establish(ctx context.Context, nc net.Conn, lib *gnutls, side uint32, creds credentials) (Conn, error) {
	c := &gnutlsConn{nc: nc, lib: lib, number: lastNumber.Add(1), free: creds.free}
	if err := lib.check(lib.init(&c.session, side|gnutlsNonblock), "making a TLS session"); err != nil {
		creds.free()
		return nil, err
	}
	sessions.Store(c.number, c)
	err := errors.Join(
		lib.check(lib.priority(c.session, creds.priority, nil), "choosing algorithms"),
		lib.check(lib.setCreds(c.session, creds.kind, creds.handle), "setting credentials"),
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
func (c *gnutlsConn) handshake(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = c.nc.SetDeadline(time.Unix(1, 0)) })
	err := c.shake()
	if !stop() {
		return fmt.Errorf("%w: %w", context.Cause(ctx), errors.Join(err, context.Cause(ctx)))
	}
	return err
}

func (c *gnutlsConn) shake() error {
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
