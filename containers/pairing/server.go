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
	Peer  matrix.Peer
	plain target.Target
	doors map[matrix.Activity]door
	holds []byte // contents of plain, as the reference client reads them
	seed  byte
	has   map[Feature]bool
}

// A door is the same server, insisting on TLS.
type door struct {
	server target.Target // nil: it has none
	why    string
}

// profiles are how servers are set up that insist on a kind of TLS. The tap
// speaks none: clients and servers do.
var profiles = map[matrix.Activity]string{matrix.TLS: "tls-required", matrix.TLSKey: pskProfile}

const pskProfile = "tls-psk"

// OpenServer starts a server of a release, or the reference server, and gives it
// something to hold.
func OpenServer(ctx context.Context, name, release string) (*Server, error) {
	return OpenServerAs(ctx, name, release, "default")
}

// OpenServerAs is OpenServer for a profile that can be written to.
func OpenServerAs(ctx context.Context, name, release, profile string) (*Server, error) {
	s := &Server{doors: map[matrix.Activity]door{}}
	var err error
	if s.plain, err = open(ctx, containers.Request{Target: name, Release: release, Profile: profile}); err != nil {
		return nil, err
	}
	id := s.plain.Identity()
	s.Peer = matrix.Peer{Name: id.Name, Release: id.Suite, Version: id.Version, Image: id.Image}
	for a, profile := range profiles {
		t, err := open(ctx, containers.Request{Target: name, Release: release, Profile: profile, Unspoken: true})
		if err != nil {
			s.doors[a] = door{why: err.Error()}
			continue
		}
		s.doors[a] = door{server: t}
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(ctx context.Context, r containers.Request) (target.Target, error) {
	r.Size = Size
	switch {
	case r.Target != Reference:
		return containers.Open(ctx, r)
	case r.Profile == pskProfile:
		return openKeyed()
	}
	_, about, err := inprocess.Config(r.Profile, Size, "")
	if err != nil {
		return nil, err
	}
	return inprocess.New(about, func() server.Config {
		c, _, err := inprocess.Config(r.Profile, Size, "")
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
	for _, d := range s.doors {
		if d.server != nil {
			err = errors.Join(err, d.server.Close())
		}
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
