// Package pki makes certificates on the fly: an authority, a server and a
// client. They are RSA certificates that may sign and encipher, which every
// TLS library of the last fifteen years takes. They are for tests.
package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"nbdconform/reference/starttls"
)

// A PKI has PEM encoded certificates and keys by the names of their files.
type PKI struct {
	Files map[string][]byte
}

// keyBits is the size of RSA keys. TLS libraries refuse shorter ones.
const keyBits = 2048

// Shared makes one PKI for the life of the process: keys take their time. Its
// server is localhost, by name and by address.
var Shared = sync.OnceValue(func() *PKI {
	p, err := New("localhost", "127.0.0.1", "::1")
	if err != nil {
		panic(err) // the system has no randomness to offer
	}
	return p
})

// New makes certificates for a server of these names and addresses and for a client.
func New(names ...string) (*PKI, error) {
	p := &PKI{Files: make(map[string][]byte)}
	ca := &x509.Certificate{
		Subject: pkix.Name{CommonName: "nbdconform test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	signer, err := p.add(ca, ca, nil, starttls.CACert, "")
	if err != nil {
		return nil, err
	}
	server := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "nbdconform test server"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, n)
		}
	}
	if _, err := p.add(server, ca, signer, starttls.ServerCert, starttls.ServerKey); err != nil {
		return nil, err
	}
	client := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "nbdconform test client"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if _, err := p.add(client, ca, signer, starttls.ClientCert, starttls.ClientKey); err != nil {
		return nil, err
	}
	return p, nil
}

// add makes a key and a certificate for it, signed by signer, or by the new key if that is nil.
func (p *PKI) add(c, parent *x509.Certificate, signer crypto.Signer, certName, keyName string) (crypto.Signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	if signer == nil {
		signer = key
	}
	if c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 62)); err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-24*time.Hour), time.Now().Add(30*24*time.Hour)
	if !c.IsCA {
		c.BasicConstraintsValid = true
		c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	p.Files[certName] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if keyName != "" {
		p.Files[keyName] = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	}
	return key, nil
}

// Write writes all files into a directory, which has to exist.
func (p *PKI) Write(dir string) error {
	for name, b := range p.Files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Server is the server's side. With verifyPeer, it wants the client's certificate.
func (p *PKI) Server(verifyPeer bool) *starttls.X509Server {
	s := &starttls.X509Server{Certificate: p.pair(starttls.ServerCert, starttls.ServerKey)}
	if verifyPeer {
		s.Clients = p.authorities()
	}
	return s
}

// Client is the client's side, with a certificate of its own. name is what the
// server's certificate has to be for; "" takes any.
func (p *PKI) Client(name string) *starttls.X509Client {
	own := p.pair(starttls.ClientCert, starttls.ClientKey)
	return &starttls.X509Client{Authorities: p.authorities(), ServerName: name, Identity: &own}
}

func (p *PKI) authorities() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(p.Files[starttls.CACert])
	return pool
}

func (p *PKI) pair(cert, key string) tls.Certificate {
	c, err := tls.X509KeyPair(p.Files[cert], p.Files[key])
	if err != nil {
		panic(err) // New made them
	}
	return c
}
