package interop

import (
	"context"
	"errors"
	"fmt"
	"os"

	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/conformance/usage"
	"nbdconform/containers/pairing"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// A scenario is a client run against a reference server in a configuration that
// makes the two use some part of the protocol.
type scenario struct {
	name    string
	change  func(*server.Config)
	tasks   []subject.Operation // of the client, as far as it can
	export  string              // "": the one that exists
	context string              // metadata context; "": base:allocation
}

var readers = []subject.Operation{subject.Info, subject.Visit, subject.CopyOut, subject.List, subject.Map}

var scenarios = []scenario{
	{"oldstyle", func(c *server.Config) { c.Handshake = server.Oldstyle }, readers, "", ""},
	{"newstyle", func(c *server.Config) { c.Handshake = server.Newstyle }, readers, "", ""},
	{"simple replies", func(c *server.Config) { c.NoStructuredReplies, c.NoExtendedHeaders = true, true }, readers, "", ""},
	{"an unknown export", nil, []subject.Operation{subject.Info, subject.CopyOut}, "nowhere", ""},
	{"TLS required", func(c *server.Config) {
		p, _, _ := referenceserver.Config("tls-required", size, "")
		c.TLS = p.TLS
	}, readers[:4], "", ""},
	{"block sizes", func(c *server.Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
		c.Exports[0].RequireBlockSize = true
	}, readers[:3], "", ""},
	{"read-only", func(c *server.Config) { c.Exports[0].ReadOnly = true }, []subject.Operation{subject.Info, subject.CopyIn, subject.Zero}, "", ""},
	{"rotational", func(c *server.Config) { c.Exports[0].Rotational = true }, readers[:2], "", ""},
	{"contexts", layered, []subject.Operation{subject.Info, subject.Map}, "", ""},
	{"a dirty bitmap", layered, []subject.Operation{subject.Map}, "", export.DirtyBitmap + "b0"},
	{"the depth of allocation", layered, []subject.Operation{subject.Map}, "", export.AllocationDepth},
	{"reads fail", failing(wire.CmdRead, wire.EIO), []subject.Operation{subject.Visit, subject.CopyOut}, "", ""},
	{"no space", failing(wire.CmdWrite, wire.ENOSPC), []subject.Operation{subject.CopyIn}, "", ""},
	{"no permission", failing(wire.CmdWriteZeroes, wire.EPERM), []subject.Operation{subject.CopyIn, subject.Zero}, "", ""},
	{"no fast zeroes", failing(wire.CmdWriteZeroes, wire.ENOTSUP), []subject.Operation{subject.CopyIn, subject.Extras}, "", ""},
	{"TLS is refused", func(c *server.Config) { c.StartTLS = wire.RepErrPolicy }, []subject.Operation{subject.Extras}, "", ""},
	{"block sizes required", func(c *server.Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
		c.Exports[0].RequireBlockSize = true
	}, []subject.Operation{subject.Extras}, "", ""},
	{"default", nil, []subject.Operation{subject.Extras}, "", ""},
	{"no extended headers", func(c *server.Config) { c.NoExtendedHeaders = true }, []subject.Operation{subject.Extras}, "", ""},
	{"invalid", failing(wire.CmdTrim, wire.EINVAL), []subject.Operation{subject.Trim}, "", ""},
}

// layered serves a disk that has all contexts of QEMU's.
func layered(c *server.Config) {
	c.Exports[0].Disk = export.NewTracked(export.NewLayered(c.Exports[0].Disk), "b0")
}

// failing lets the first requests of a command fail.
func failing(c wire.Command, e wire.Errno) func(*server.Config) {
	return func(cfg *server.Config) {
		cfg.NoExtendedHeaders = true // with which QEMU's writes are refused before
		cfg.Exports[0].Gate = export.NewFaults(export.Fault{Commands: []wire.Command{c}, Err: e, Times: 2})
	}
}

// runScenarios runs a client in every scenario. What the client does there is not
// judged: there are specs for that.
func (rec *Record) runScenarios(ctx context.Context, c *pairing.Client) error {
	for _, s := range scenarios {
		for _, a := range s.tasks {
			if !c.Can(a, subject.NoTLS) {
				continue
			}
			cfg, about, err := referenceserver.Config("default", size, "")
			if err != nil {
				return err
			}
			if s.change != nil {
				s.change(&cfg)
			}
			t, err := referenceserver.New(about, func() server.Config { return cfg })
			if err != nil {
				return err
			}
			name := about.Export
			if s.export != "" {
				name = s.export
			}
			h, _, err := pairing.Observe(ctx, c, t, subject.Task{Operation: a, Server: subject.Address{Export: name}, Context: s.context})
			_ = t.Close()
			if err != nil {
				return err
			}
			rec.Items.Join(h.Items)
		}
	}
	return nil
}

// runWithGnuTLS runs a client against servers that require TLS that takes GnuTLS.
// The messages within TLS can't be observed: that the client succeeds has to do.
func (rec *Record) runWithGnuTLS(ctx context.Context, c *pairing.Client) error {
	if !starttls.BuiltWithGnuTLS {
		return nil
	}
	for kind, how := range gnutls {
		for _, a := range readers {
			if !c.Can(a, how.told) {
				continue
			}
			dir, err := os.MkdirTemp(c.Dir(), "k")
			if err != nil {
				return err
			}
			cfg, about, err := requiringTLS(kind, dir)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			t, err := referenceserver.New(about, func() server.Config { return cfg })
			if err != nil {
				return err
			}
			to := subject.Address{Export: about.Export, TLS: how.told, Keys: dir}
			h, r, err := pairing.Observe(ctx, c, t, subject.Task{Operation: a, Server: to})
			err = errors.Join(err, t.Close(), os.RemoveAll(dir))
			if err != nil {
				return err
			}
			if r.Succeeded() && h.Items.Has(usage.Option, wire.OptStartTLS.String()) {
				rec.Items.Add(usage.Item{Kind: usage.Extension, Name: kind})
			}
		}
	}
	return nil
}
