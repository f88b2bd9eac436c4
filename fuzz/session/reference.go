package session

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/fuzz/internal/model"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// referenceSize is the size of the reference server's export, in bytes.
const referenceSize = 8 << 20

// A ReferenceServer is the reference server in this process, started afresh.
type ReferenceServer struct {
	Target
	srv    *server.Server
	cancel context.CancelFunc
	conns  sync.WaitGroup
	mu     sync.Mutex
	died   bool
}

// Reference starts the reference server in a profile of package inprocess, with a
// quirk or "". Its export begins and ends with bytes that are not zero.
func Reference(profile, quirk string) (*ReferenceServer, error) {
	cfg, about, err := referenceserver.Config(profile, referenceSize, quirk)
	if err != nil {
		return nil, err
	}
	srv, err := server.New(cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &ReferenceServer{srv: srv, cancel: cancel}
	disk := cfg.Exports[0].Disk
	contents := mark(disk)
	r.Target = Target{
		Dial:     func(context.Context) (net.Conn, error) { return r.dial(ctx) },
		TLS:      about.TLS,
		Model:    model.Options{Exports: about.Exports, Plain: about.TLS == nil, Healthy: true, Records: true},
		Contents: contents,
		Alive:    r.alive,
		Patience: time.Second,
	}
	return r, nil
}

// marked is how much of the export is not zero, at each end.
const marked = 4096

// mark fills both ends of a disk, and returns what tells a model so.
func mark(d export.Export) func(*model.Model) {
	type piece struct {
		at   uint64
		data []byte
	}
	var list []piece
	end := d.Size() - marked
	for _, at := range []uint64{0, end} {
		p := piece{at, marks}
		_ = d.WriteAt(p.data, at) // memory without a limit does not fail
		list = append(list, p)
	}
	return func(m *model.Model) {
		for _, p := range list {
			m.Set("", p.at, p.data)
		}
	}
}

// marks differ from sector to sector, and are short to write down.
var marks = func() (b []byte) {
	const sector = 512
	for i := range byte(marked / sector) {
		b = append(b, bytes.Repeat([]byte{0x11 * (i + 1)}, sector)...)
	}
	return b
}()

func (r *ReferenceServer) dial(ctx context.Context) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.died {
		return nil, errors.New("connection refused: the server closed itself")
	}
	near, far := Pipe()
	r.conns.Go(func() {
		if errors.Is(r.srv.ServeConn(ctx, far), server.ErrClosed) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.died = true
		}
		_ = far.Close()
	})
	return near, nil
}

func (r *ReferenceServer) alive() error {
	near, err := r.dial(context.Background())
	if err != nil {
		return err
	}
	defer func() { _ = near.Close() }()
	_ = near.SetReadDeadline(time.Now().Add(r.patience()))
	var b [1]byte
	_, _ = near.Read(b[:])
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.died {
		return errors.New("the server has closed itself")
	}
	return nil
}

// Close stops the server.
func (r *ReferenceServer) Close() {
	r.cancel()
	_ = r.srv.Close()
	r.conns.Wait()
}

// Profiles lists the profiles that scripts are for: all of package inprocess
// but those in which the server speaks a draft of the protocol, which the
// model knows nothing of.
func Profiles() []string { return profiles() }

var profiles = sync.OnceValue(func() (list []string) {
	for _, p := range referenceserver.Profiles() {
		if _, about, err := referenceserver.Config(p, referenceSize, ""); err == nil && about.Dialect == wire.Current {
			list = append(list, p)
		}
	}
	return list
})
