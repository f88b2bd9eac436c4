package pairing

import (
	"errors"
	"os"
	"path/filepath"

	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/containers/internal/program"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
)

// pskServer is the reference server with pre-shared keys, which are in a directory
// of its own.
type pskServer struct {
	*referenceserver.Server
	dir string
}

func openPSK() (_ subject.Server, err error) {
	dir, err := os.MkdirTemp("", "nbdtls")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	file := filepath.Join(dir, program.PSK)
	if err := os.WriteFile(file, []byte(program.Keys), 0o600); err != nil {
		return nil, err
	}
	tls, err := starttls.LoadPSKServer(file)
	if err != nil {
		return nil, err
	}
	_, about, err := referenceserver.Config("default", Size, "")
	if err != nil {
		return nil, err
	}
	t, err := referenceserver.New(about, func() server.Config {
		c, _, err := referenceserver.Config("default", Size, "")
		if err != nil {
			panic(err) // the same name was fine a moment ago
		}
		c.TLS = server.TLS{Mode: server.ForcedTLS, Server: tls}
		return c
	})
	if err != nil {
		return nil, err
	}
	return pskServer{t, dir}, nil
}

func (k pskServer) Close() error { return errors.Join(k.Server.Close(), os.RemoveAll(k.dir)) }
