package pairing

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/target"
	"nbdconform/conformance/target/inprocess"
	"nbdconform/containers"
	"nbdconform/reference/client"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
	"nbdconform/reports/matrix"
)

// Reference is the name of the reference server and of the reference client.
const Reference = "reference"

// Size is that of the exports that are copied in and out, in bytes.
const Size = 8 << 20

// A Server is a running server, and what it holds.
type Server struct {
	Peer   matrix.Peer
	plain  target.Target
	secure target.Target // the same with TLS; nil: it has none, see why
	why    string
	holds  []byte // contents of plain, as the reference client reads them
	seed   byte
	has    map[Feature]bool
}

// tlsProfile is how a server is set up that insists on TLS.
const tlsProfile = "tls-required"

// OpenServer starts a server of a suite, or the reference server, and gives it
// something to hold.
func OpenServer(ctx context.Context, name, suite string) (*Server, error) {
	return OpenServerAs(ctx, name, suite, "default")
}

// OpenServerAs is OpenServer for a profile that can be written to.
func OpenServerAs(ctx context.Context, name, suite, profile string) (*Server, error) {
	s := &Server{}
	var err error
	if s.plain, err = open(ctx, name, suite, profile); err != nil {
		return nil, err
	}
	id := s.plain.Identity()
	s.Peer = matrix.Peer{Name: id.Name, Suite: id.Suite, Version: id.Version, Image: id.Image}
	if s.secure, err = open(ctx, name, suite, tlsProfile); err != nil {
		s.secure, s.why = nil, err.Error()
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(ctx context.Context, name, suite, profile string) (target.Target, error) {
	if name != Reference {
		return containers.Open(ctx, containers.Request{Target: name, Suite: suite, Profile: profile, Size: Size})
	}
	_, about, err := inprocess.Config(profile, Size, "")
	if err != nil {
		return nil, err
	}
	return inprocess.New(about, func() server.Config {
		c, _, err := inprocess.Config(profile, Size, "")
		if err != nil {
			panic(err) // the same name was fine a moment ago
		}
		return c
	})
}

// Target is the server, without TLS.
func (s *Server) Target() target.Target { return s.plain }

// Close stops the server.
func (s *Server) Close() error {
	err := s.plain.Close()
	if s.secure != nil {
		err = errors.Join(err, s.secure.Close())
	}
	return err
}

// begin writes the first contents, and asks what the server has.
func (s *Server) begin(ctx context.Context) error {
	first := s.next()
	return s.with(ctx, func(c *client.Client) error {
		if c.Size() != Size {
			return fmt.Errorf("%s has %d bytes, and was to have %d", s.Peer, c.Size(), Size)
		}
		s.has = offered(c)
		if err := client.CopyIn(ctx, c, bytes.NewReader(first), Size, client.CopyOptions{}); err != nil {
			return err
		}
		if err := s.look(ctx, c); err != nil {
			return err
		}
		if !bytes.Equal(s.holds, first) {
			return fmt.Errorf("%s does not hold what the reference client wrote", s.Peer)
		}
		return nil
	})
}

// grace is how long a server may take to hang up behind NBD_CMD_DISC.
const grace = 300 * time.Millisecond

// with connects the reference client to the server.
func (s *Server) with(ctx context.Context, f func(*client.Client) error) error {
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

// look reads what the server holds.
func (s *Server) look(ctx context.Context, c *client.Client) error {
	b := make([]byte, Size)
	if err := c.ReadAt(ctx, b, 0, 0); err != nil {
		return fmt.Errorf("reading what %s holds: %w", s.Peer, err)
	}
	s.holds = b
	return nil
}

// refresh reads what the server holds by now.
func (s *Server) refresh(ctx context.Context) error {
	return s.with(ctx, func(c *client.Client) error { return s.look(ctx, c) })
}

// fill gives the range of [rangeOffset] data to lose.
func (s *Server) fill(ctx context.Context) error {
	return s.put(ctx, rangeOffset, s.next()[rangeOffset:][:rangeLength])
}

// put has the reference client write data, and reads what the server holds then.
func (s *Server) put(ctx context.Context, offset uint64, data []byte) error {
	return s.with(ctx, func(c *client.Client) error {
		const most = 1 << 20 // of one request
		for at := 0; at < len(data); at += most {
			if err := c.WriteAt(ctx, data[at:min(at+most, len(data))], offset+uint64(at), 0); err != nil {
				return err
			}
		}
		return s.look(ctx, c)
	})
}

// stamped is an image as [caller.Stamp] leaves it.
func stamped() []byte {
	b := make([]byte, Size)
	for at := 0; at < Size; at += 8 {
		binary.LittleEndian.PutUint64(b[at:], uint64(at/caller.StampBlock*caller.StampBlock))
	}
	return b
}

// The range that clients zero and discard, in bytes. It has data in every image.
const (
	rangeOffset = 128 << 10
	rangeLength = 256 << 10
)

// next makes an image that was not there before: random data with runs of
// zeroes in it, some of them not aligned to anything.
func (s *Server) next() []byte {
	s.seed++
	b := make([]byte, Size)
	_, _ = rand.NewChaCha8([32]byte{s.seed}).Read(b)
	clear(b[Size/4 : Size/2])
	clear(b[Size*5/8+123 : Size*5/8+98765])
	clear(b[Size*3/4 : Size*3/4+Size/16])
	return b
}

// offered are the features that the server gave the reference client.
func offered(c *client.Client) map[Feature]bool {
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

// names are the exports that a list has to name.
func (s *Server) names() []string { return s.plain.Profile().Exports }
