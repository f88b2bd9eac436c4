package referenceserver

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"nbdconform/conformance/feature"
	"nbdconform/conformance/subject"
	"nbdconform/reference/export"
	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reference/wire"
)

// DefaultSize is the size of the reference server's export, in bytes.
const DefaultSize = 64 << 20

// HugeSize is the size of the export in the profile huge, in bytes.
const HugeSize = 6 << 30

// everything is what the reference server has where a profile leaves nothing out.
var everything = []feature.Feature{
	feature.FixedNewstyle, feature.NoZeroes, feature.List, feature.Info, feature.StructuredReply,
	feature.MetaContext, feature.BaseAllocation, feature.Writable, feature.Flush, feature.FUA, feature.Trim,
	feature.WriteZeroes, feature.DF, feature.MultiConn, feature.Cache, feature.FastZero,
	feature.ExtendedHeaders, feature.BlockStatusPayload,
}

// A profile is a way of setting up the reference server. change edits the
// configuration of the default one.
type profile struct {
	name   string
	add    []feature.Feature
	drop   []feature.Feature
	change func(*server.Config)
}

var profiles = append([]profile{
	{"default", nil, nil, func(*server.Config) {}},
	{
		"read-only",
		[]feature.Feature{feature.ReadOnly},
		[]feature.Feature{feature.Writable},
		func(c *server.Config) {
			c.Exports[0].ReadOnly = true
			_ = c.Exports[0].Disk.WriteAt(bytes.Repeat([]byte("What is written stays. "), 4096), 0) // memory does not fail
		},
	},
	{
		"block-4096",
		[]feature.Feature{feature.BlockSize},
		nil,
		func(c *server.Config) {
			c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
		},
	},
	{
		"bare",
		nil,
		[]feature.Feature{feature.Flush, feature.FUA, feature.Trim, feature.WriteZeroes, feature.DF, feature.MultiConn, feature.Cache, feature.FastZero, feature.BlockStatusPayload},
		func(c *server.Config) {
			c.Exports[0].Omit = wire.FlagSendFlush | wire.FlagSendFUA | wire.FlagSendTrim | wire.FlagSendWriteZeroes |
				wire.FlagSendDF | wire.FlagCanMultiConn | wire.FlagSendCache | wire.FlagSendFastZero | wire.FlagBlockStatusPayload
		},
	},
	{
		"no-fast-zero",
		nil,
		[]feature.Feature{feature.FastZero},
		func(c *server.Config) { c.Exports[0].Omit = wire.FlagSendFastZero },
	},
	{
		"no-extended-headers",
		nil,
		[]feature.Feature{feature.ExtendedHeaders, feature.BlockStatusPayload},
		func(c *server.Config) { c.NoExtendedHeaders = true },
	},
	{
		"tls",
		[]feature.Feature{feature.StartTLS, feature.TLSOnlyExport},
		nil,
		func(c *server.Config) {
			c.TLS = server.TLS{Mode: server.SelectiveTLS, Server: pki.Shared().Server(false)}
			c.Exports = append(c.Exports, server.Export{Name: "vault", Disk: export.New(1 << 20), TLSOnly: true})
		},
	},
	{
		"tls-required",
		[]feature.Feature{feature.StartTLS, feature.ForcedTLS},
		nil,
		func(c *server.Config) {
			c.TLS = server.TLS{Mode: server.ForcedTLS, Server: pki.Shared().Server(true)}
		},
	},
	{
		// Larger than 32 bits can tell, and of holes.
		"huge",
		nil,
		nil,
		func(c *server.Config) { c.Exports[0].Disk = export.New(HugeSize) },
	},
	{"rotational", []feature.Feature{feature.Rotational}, nil, func(c *server.Config) { c.Exports[0].Rotational = true }},
}, slices.Concat(extensions, dialects)...)

// Profiles lists the names of the reference server's profiles, the default first.
func Profiles() []string {
	var names []string
	for _, p := range profiles {
		names = append(names, p.name)
	}
	return names
}

// Config is the configuration of the reference server in a profile,
// "" for the default, with an export of size bytes, and with a quirk if one is named.
func Config(profile string, size uint64, quirkName string) (server.Config, subject.Profile, error) {
	q, err := named(quirkName)
	if err != nil {
		return server.Config{}, subject.Profile{}, err
	}
	return configuration(profile, size, q)
}

// named is the quirk of a name, none for "".
func named(name string) (serverquirk.Quirk, error) {
	q, ok := serverquirk.Get(name)
	if !ok && name != "" {
		return q, fmt.Errorf("there is no quirk %q (see nbdconform list --quirks)", name)
	}
	return q, nil
}

func configuration(profile string, size uint64, q serverquirk.Quirk) (server.Config, subject.Profile, error) {
	if profile == "" {
		profile = profiles[0].name
	}
	for _, p := range profiles {
		if p.name != profile {
			continue
		}
		c := server.Config{Exports: []server.Export{
			{Name: "disk", Description: "the disk under test", Disk: export.New(size)},
			{Name: "spare", Disk: export.New(1 << 20)},
		}}
		p.change(&c)
		var names []string
		for _, e := range c.Exports {
			names = append(names, e.Name)
		}
		var how starttls.Client
		if c.TLS.Mode != server.NoTLS {
			how = pki.Shared().Client("localhost")
		}
		q.Apply(&c)
		fs := feature.Set{}
		fs.Add(everything...)
		fs.Add(p.add...)
		for _, f := range p.drop {
			delete(fs, f)
		}
		about := subject.Profile{
			Name: p.name, Export: "disk", Exports: names, Size: c.Exports[0].Disk.Size(),
			Features: fs.Names(), Destructive: true, Durable: p.name == durable, TLS: how, Dialect: c.Dialect,
		}
		return c, about, nil
	}
	return server.Config{}, subject.Profile{}, fmt.Errorf("the reference server has no profile %q: use one of %s",
		profile, strings.Join(Profiles(), ", "))
}

// Open starts the reference server in this process. quirkName may be "".
func Open(profile, quirkName string) (*Server, error) {
	q, err := named(quirkName)
	if err != nil {
		return nil, err
	}
	return OpenQuirk(profile, q)
}

// OpenQuirk is Open with a quirk that need not be in the catalogue as it is.
func OpenQuirk(profile string, q serverquirk.Quirk) (*Server, error) {
	_, about, err := configuration(profile, DefaultSize, q)
	if err != nil {
		return nil, err
	}
	return New(about, func() server.Config {
		c, _, err := configuration(profile, DefaultSize, q)
		if err != nil {
			panic(err) // the same names were fine a moment ago
		}
		return c
	})
}
