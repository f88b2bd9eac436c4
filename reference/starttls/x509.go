package starttls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// lastWrite is how long Close waits for a Write that is under way.
const lastWrite = 100 * time.Millisecond

// lastAlert is how long Close may take to send close_notify.
const lastAlert = time.Second

// An X509Server has a certificate. Section "TLS versions" asks for TLS 1.2 and
// what came after it, and that is what both sides speak.
type X509Server struct {
	Certificate tls.Certificate
	Clients     *x509.CertPool // who signs the certificates of clients; nil: they need none
	MinVersion  uint16         // 0: tls.VersionTLS12
	MaxVersion  uint16         // 0: the latest
}

// Upgrade implements [Server]. In TLS 1.3 a client learns that its certificate
// was refused only when it reads.
func (s *X509Server) Upgrade(ctx context.Context, nc net.Conn) (Conn, error) {
	cfg := versions(s.MinVersion, s.MaxVersion)
	cfg.Certificates = []tls.Certificate{s.Certificate}
	cfg.SessionTicketsDisabled = true // nobody resumes a session
	if s.Clients != nil {
		// The list of authorities that ClientCAs would send along makes clients
		// with GnuTLS 3.7 keep their certificate to themselves in TLS 1.3.
		cfg.ClientAuth = tls.RequireAnyClientCert
		cfg.VerifyConnection = func(c tls.ConnectionState) error {
			return verifyChain(c, s.Clients, x509.ExtKeyUsageClientAuth)
		}
	}
	w := &watched{Conn: nc}
	return handshake(ctx, w, tls.Server(w, cfg))
}

// An X509Client verifies the server's certificate. The zero value trusts the
// authorities that the machine trusts.
type X509Client struct {
	Authorities *x509.CertPool // who signs the server's certificate; nil: those of the machine
	// ServerName has to be in the server's certificate: a host name or an IP
	// address. If it is empty, as it may be on a Unix socket, any name will do.
	ServerName string
	NoVerify   bool             // take any certificate
	Identity   *tls.Certificate // for servers that ask for one; nil: none
	MinVersion uint16           // 0: tls.VersionTLS12
	MaxVersion uint16           // 0: the latest
}

// Upgrade implements [Client].
func (c *X509Client) Upgrade(ctx context.Context, nc net.Conn) (Conn, error) {
	cfg := versions(c.MinVersion, c.MaxVersion)
	cfg.RootCAs, cfg.ServerName = c.Authorities, c.ServerName
	cfg.InsecureSkipVerify = c.NoVerify
	if c.ServerName == "" && !c.NoVerify { // crypto/tls refuses to go without a name
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = func(s tls.ConnectionState) error {
			return verifyChain(s, c.Authorities, x509.ExtKeyUsageServerAuth)
		}
	}
	if c.Identity != nil {
		// Whatever authorities the server names: it shall say itself what it dislikes.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.Identity, nil }
	}
	w := &watched{Conn: nc}
	return handshake(ctx, w, tls.Client(w, cfg))
}

// verifyChain verifies the peer's certificate, but for its names.
func verifyChain(s tls.ConnectionState, roots *x509.CertPool, usage x509.ExtKeyUsage) error {
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{usage}}
	for _, i := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(i)
	}
	_, err := s.PeerCertificates[0].Verify(o)
	return err
}

func versions(least, most uint16) *tls.Config {
	if least == 0 {
		least = tls.VersionTLS12
	}
	return &tls.Config{MinVersion: least, MaxVersion: most}
}

func handshake(ctx context.Context, w *watched, c *tls.Conn) (Conn, error) {
	if err := c.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		return nil, fmt.Errorf("doing the TLS handshake: %w", err)
	}
	return &x509Conn{Conn: c, under: w}, nil
}

// watched notes the end of the connection underneath TLS: crypto/tls returns
// io.EOF after close_notify and where the connection just ended.
type watched struct {
	net.Conn
	cut atomic.Bool
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		w.cut.Store(true)
	}
	return n, err
}

// An x509Conn is a connection of crypto/tls.
type x509Conn struct {
	*tls.Conn
	under    *watched
	notified atomic.Bool
	writing  sync.Mutex // is held while a Write is under way
}

func (c *x509Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.EOF) && !c.under.cut.Load() {
		c.notified.Store(true)
	}
	return n, err
}

func (c *x509Conn) Write(b []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.Conn.Write(b)
}

// Close waits for a Write that is about to be done: crypto/tls leaves
// close_notify out while there is one.
func (c *x509Conn) Close() error {
	if !c.writing.TryLock() {
		_ = c.SetWriteDeadline(time.Now().Add(lastWrite))
		c.writing.Lock()
	}
	defer c.writing.Unlock()
	return c.Conn.Close()
}

func (c *x509Conn) CloseWrite() error {
	if err := c.Conn.CloseWrite(); err != nil {
		return err
	}
	return endWriting(c.under.Conn)
}

func (c *x509Conn) Notified() bool { return c.notified.Load() }

func (c *x509Conn) NetConn() net.Conn { return c.under.Conn }

func (c *x509Conn) Protocol() string { return tls.VersionName(c.ConnectionState().Version) }
