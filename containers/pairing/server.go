package pairing

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/containers"
	"nbdconform/reference/client"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
	"nbdconform/reports/matrix"
)

// Size is that of the exports that are copied in and out, in bytes.
const Size = 8 << 20

// A Server is a running server, and its contents.
type Server struct {
	Peer     matrix.Peer
	plain    subject.Server
	tls      map[matrix.Operation]tlsServer
	contents []byte // contents of plain, as the reference client reads them
	seed     byte
	features map[Feature]bool
}

// A tlsServer is the same server in a profile that requires TLS.
type tlsServer struct {
	server subject.Server // nil: it has none
	why    string
}

// tlsProfiles are the profiles that require a kind of TLS. The proxy has no TLS:
// clients and servers do.
var tlsProfiles = map[matrix.Operation]string{matrix.TLS: "tls-required", matrix.TLSKey: pskProfile}

const pskProfile = "tls-psk"

// OpenServer starts a server of a release, or the reference server, and writes
// its first contents.
func OpenServer(ctx context.Context, name, release string) (*Server, error) {
	return OpenServerAs(ctx, name, release, "default")
}

// OpenServerAs is OpenServer for a profile that can be written to.
func OpenServerAs(ctx context.Context, name, release, profile string) (*Server, error) {
	s := &Server{tls: map[matrix.Operation]tlsServer{}}
	var err error
	if s.plain, err = open(ctx, containers.Request{Target: name, Release: release, Profile: profile}); err != nil {
		return nil, err
	}
	id := s.plain.Identity()
	s.Peer = matrix.Peer{Name: id.Name, Release: id.Release, Version: id.Version, Image: id.Image}
	for a, profile := range tlsProfiles {
		t, err := open(ctx, containers.Request{Target: name, Release: release, Profile: profile, RelayOnly: true})
		if err != nil {
			s.tls[a] = tlsServer{why: err.Error()}
			continue
		}
		s.tls[a] = tlsServer{server: t}
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(ctx context.Context, r containers.Request) (subject.Server, error) {
	r.Size = Size
	switch {
	case r.Target != Reference:
		return containers.Open(ctx, r)
	case r.Profile == pskProfile:
		return openPSK()
	}
	_, about, err := referenceserver.Config(r.Profile, Size, "")
	if err != nil {
		return nil, err
	}
	return referenceserver.New(about, func() server.Config {
		c, _, err := referenceserver.Config(r.Profile, Size, "")
		if err != nil {
			panic(err) // the same name was fine a moment ago
		}
		return c
	})
}

// Target is the server, without TLS.
func (s *Server) Target() subject.Server { return s.plain }

// Close stops the server.
func (s *Server) Close() error {
	err := s.plain.Close()
	for _, d := range s.tls {
		if d.server != nil {
			err = errors.Join(err, d.server.Close())
		}
	}
	return err
}

// start writes the first contents, and finds out which features the server has.
func (s *Server) start(ctx context.Context) error {
	first := s.newImage()
	return s.connect(ctx, func(c *client.Client) error {
		if c.Size() != Size {
			return fmt.Errorf("%s has %d bytes, expected %d", s.Peer, c.Size(), Size)
		}
		s.features = offeredFeatures(c)
		if err := client.CopyIn(ctx, c, bytes.NewReader(first), Size, client.CopyOptions{}); err != nil {
			return err
		}
		if err := s.readContents(ctx, c); err != nil {
			return err
		}
		if !bytes.Equal(s.contents, first) {
			return fmt.Errorf("%s does not have what the reference client wrote", s.Peer)
		}
		return nil
	})
}

// grace is how long a server may take to close the connection after NBD_CMD_DISC.
const grace = 300 * time.Millisecond

// connect connects the reference client to the server.
func (s *Server) connect(ctx context.Context, f func(*client.Client) error) error {
	conn, err := s.plain.Dial(ctx)
	if err != nil {
		return err
	}
	c, err := client.Connect(ctx, conn, client.Config{
		Export: s.plain.Profile().Export, ExtendedHeaders: true, Grace: grace,
		MetaContexts: []string{client.AllocationContext},
	})
	if err != nil {
		return fmt.Errorf("connecting the reference client to %s: %w", s.Peer, err)
	}
	defer func() { _ = c.Close() }()
	return f(c)
}

// readContents reads the contents of the server.
func (s *Server) readContents(ctx context.Context, c *client.Client) error {
	b := make([]byte, Size)
	if err := c.ReadAt(ctx, b, 0, 0); err != nil {
		return fmt.Errorf("reading the contents of %s: %w", s.Peer, err)
	}
	s.contents = b
	return nil
}

// refresh reads the contents of the server anew.
func (s *Server) refresh(ctx context.Context) error {
	return s.connect(ctx, func(c *client.Client) error { return s.readContents(ctx, c) })
}

// fillRange writes data to the range at [rangeOffset].
func (s *Server) fillRange(ctx context.Context) error {
	return s.write(ctx, rangeOffset, s.newImage()[rangeOffset:][:rangeLength])
}

// write has the reference client write data, and reads the contents then.
func (s *Server) write(ctx context.Context, offset uint64, data []byte) error {
	return s.connect(ctx, func(c *client.Client) error {
		const most = 1 << 20 // of one request
		for at := 0; at < len(data); at += most {
			if err := c.WriteAt(ctx, data[at:min(at+most, len(data))], offset+uint64(at), 0); err != nil {
				return err
			}
		}
		return s.readContents(ctx, c)
	})
}

// stamped is an image as [caller.Stamp] leaves it.
func stamped() []byte {
	b := make([]byte, Size)
	for at := 0; at < Size; at += 8 {
		binary.LittleEndian.PutUint64(b[at:], uint64(at/subject.StampBlock*subject.StampBlock))
	}
	return b
}

// The range that clients zero and discard, in bytes. It has data in every image.
const (
	rangeOffset = 128 << 10
	rangeLength = 256 << 10
)

// newImage makes an image that was not there before: random data with runs of
// zeroes in it, some of them not aligned to anything.
func (s *Server) newImage() []byte {
	s.seed++
	b := make([]byte, Size)
	_, _ = rand.NewChaCha8([32]byte{s.seed}).Read(b)
	clear(b[Size/4 : Size/2])
	clear(b[Size*5/8+123 : Size*5/8+98765])
	clear(b[Size*3/4 : Size*3/4+Size/16])
	return b
}

// offeredFeatures are the features that the server gave the reference client.
func offeredFeatures(c *client.Client) map[Feature]bool {
	has := map[Feature]bool{
		featureExtended: c.Extended(), featureStructured: c.Structured(), featureGo: true,
		featureStatus: c.HasContext(client.AllocationContext),
	}
	for f, flag := range map[Feature]wire.TransmissionFlags{
		featureZeroes: wire.FlagSendWriteZeroes, featureTrim: wire.FlagSendTrim, featureConns: wire.FlagCanMultiConn,
	} {
		has[f] = c.Flags()&flag != 0
	}
	return has
}
