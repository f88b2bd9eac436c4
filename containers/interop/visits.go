package interop

import (
	"context"
	"errors"
	"fmt"
	"os"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/target/inprocess"
	"nbdconform/conformance/usage"
	"nbdconform/containers/pairing"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// A visit is a client at a reference server that is set up to provoke something.
type visit struct {
	name   string
	change func(*server.Config)
	does   []caller.Activity // what a client is asked for, as far as it can
	export string            // "": the one that is there
	about  string            // metadata context; "": base:allocation
}

var looks = []caller.Activity{caller.Info, caller.Visit, caller.CopyOut, caller.List, caller.Map}

var visits = []visit{
	{"oldstyle", func(c *server.Config) { c.Handshake = server.Oldstyle }, looks, "", ""},
	{"newstyle", func(c *server.Config) { c.Handshake = server.Newstyle }, looks, "", ""},
	{"simple replies", func(c *server.Config) { c.NoStructuredReplies, c.NoExtendedHeaders = true, true }, looks, "", ""},
	{"a name that is not there", nil, []caller.Activity{caller.Info, caller.CopyOut}, "nowhere", ""},
	{"TLS is insisted on", func(c *server.Config) {
		p, _, _ := inprocess.Config("tls-required", size, "")
		c.TLS = p.TLS
	}, looks[:4], "", ""},
	{"block sizes", func(c *server.Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
		c.Exports[0].RequireBlockSize = true
	}, looks[:3], "", ""},
	{"read-only", func(c *server.Config) { c.Exports[0].ReadOnly = true }, []caller.Activity{caller.Info, caller.CopyIn, caller.Zero}, "", ""},
	{"rotational", func(c *server.Config) { c.Exports[0].Rotational = true }, looks[:2], "", ""},
	{"contexts", layered, []caller.Activity{caller.Info, caller.Map}, "", ""},
	{"a dirty bitmap", layered, []caller.Activity{caller.Map}, "", export.DirtyBitmap + "b0"},
	{"the depth of allocation", layered, []caller.Activity{caller.Map}, "", export.AllocationDepth},
	{"reads fail", failing(wire.CmdRead, wire.EIO), []caller.Activity{caller.Visit, caller.CopyOut}, "", ""},
	{"no space", failing(wire.CmdWrite, wire.ENOSPC), []caller.Activity{caller.CopyIn}, "", ""},
	{"no permission", failing(wire.CmdWriteZeroes, wire.EPERM), []caller.Activity{caller.CopyIn, caller.Zero}, "", ""},
	{"no zeroes in a hurry", failing(wire.CmdWriteZeroes, wire.ENOTSUP), []caller.Activity{caller.CopyIn, caller.Extras}, "", ""},
	{"TLS is refused", func(c *server.Config) { c.StartTLS = wire.RepErrPolicy }, []caller.Activity{caller.Extras}, "", ""},
	{"blocks are insisted on", func(c *server.Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
		c.Exports[0].RequireBlockSize = true
	}, []caller.Activity{caller.Extras}, "", ""},
	{"all there is", nil, []caller.Activity{caller.Extras}, "", ""},
	{"no extended headers", func(c *server.Config) { c.NoExtendedHeaders = true }, []caller.Activity{caller.Extras}, "", ""},
	{"invalid", failing(wire.CmdTrim, wire.EINVAL), []caller.Activity{caller.Trim}, "", ""},
}

// layered has a disk that knows all contexts of QEMU's.
func layered(c *server.Config) {
	c.Exports[0].Disk = export.NewTracked(export.NewLayered(c.Exports[0].Disk), "b0")
}

// failing has the first requests of a command fail.
func failing(c wire.Command, e wire.Errno) func(*server.Config) {
	return func(cfg *server.Config) {
		cfg.NoExtendedHeaders = true // with which QEMU's writes don't get as far as that
		cfg.Exports[0].Gate = export.NewFaults(export.Fault{Commands: []wire.Command{c}, Err: e, Times: 2})
	}
}

// provoke has a client make every visit. How the client takes it is not judged
// here: there are specs for that.
func (rec *Record) provoke(ctx context.Context, c *pairing.Client) error {
	for _, v := range visits {
		for _, a := range v.does {
			if !c.Can(a, caller.NoTLS) {
				continue
			}
			cfg, about, err := inprocess.Config("default", size, "")
			if err != nil {
				return err
			}
			if v.change != nil {
				v.change(&cfg)
			}
			t, err := inprocess.New(about, func() server.Config { return cfg })
			if err != nil {
				return err
			}
			name := about.Export
			if v.export != "" {
				name = v.export
			}
			h, _, err := pairing.Observe(ctx, c, t, caller.Task{Activity: a, Server: caller.Address{Export: name}, Context: v.about})
			_ = t.Close()
			if err != nil {
				return err
			}
			rec.Items.Join(h.Items)
		}
	}
	return nil
}

// encrypt has a client visit servers that insist on TLS that takes GnuTLS. What
// is said within can't be heard: that the client is content has to do.
func (rec *Record) encrypt(ctx context.Context, c *pairing.Client) error {
	if !starttls.BuiltWithGnuTLS {
		return nil
	}
	for kind, how := range gnutls {
		for _, a := range looks {
			if !c.Can(a, how.told) {
				continue
			}
			dir, err := os.MkdirTemp(c.Dir(), "k")
			if err != nil {
				return err
			}
			cfg, about, err := insists(kind, dir)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			t, err := inprocess.New(about, func() server.Config { return cfg })
			if err != nil {
				return err
			}
			to := caller.Address{Export: about.Export, TLS: how.told, Keys: dir}
			h, r, err := pairing.Observe(ctx, c, t, caller.Task{Activity: a, Server: to})
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
