package starttls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a directory of certificates, PEM encoded.
const (
	CACert     = "ca-cert.pem"     // who signs certificates
	ServerCert = "server-cert.pem" // of the server, with what leads up to the CA
	ServerKey  = "server-key.pem"
	ClientCert = "client-cert.pem" // of the client, for servers that verify clients
	ClientKey  = "client-key.pem"
)

// LoadServer reads the server's certificate and key from dir. With verifyPeer,
// clients need a certificate that CACert signed.
func LoadServer(dir string, verifyPeer bool) (*X509Server, error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, ServerCert), filepath.Join(dir, ServerKey))
	if err != nil {
		return nil, fmt.Errorf("loading the server's certificate: %w", err)
	}
	s := &X509Server{Certificate: cert}
	if verifyPeer {
		if s.Clients, err = loadAuthorities(dir); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// LoadClient reads the authorities from dir, and the client's certificate and
// key if they are there. Where CACert is missing the machine's authorities do.
func LoadClient(dir string) (*X509Client, error) {
	c := &X509Client{}
	var err error
	if c.Authorities, err = loadAuthorities(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, ClientCert), filepath.Join(dir, ClientKey))
	switch {
	case err == nil:
		c.Identity = &cert
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("loading the client's certificate: %w", err)
	case c.Authorities == nil:
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("loading certificates: %w", err)
		}
	}
	return c, nil
}

func loadAuthorities(dir string) (*x509.CertPool, error) {
	name := filepath.Join(dir, CACert)
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("loading the certificate authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("loading the certificate authorities: %s has no certificate", name)
	}
	return pool, nil
}
