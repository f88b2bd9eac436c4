package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"nbdconform/conformance/judge"
	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/conformance/usage"
	"nbdconform/containers/internal/program"
	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// configurations are those of the reference server beside the profiles of the suite.
var configurations = []struct {
	name   string
	change func(*server.Config)
}{
	{"oldstyle", func(c *server.Config) { c.Handshake = server.Oldstyle }},
	{"newstyle", func(c *server.Config) { c.Handshake = server.Newstyle }},
	{"block sizes required", func(c *server.Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
		c.Exports[0].RequireBlockSize = true
	}},
	{"TLS refused", func(c *server.Config) { c.StartTLS = wire.RepErrPolicy }},
	{"rotational", func(c *server.Config) { c.Exports[0].Rotational = true }},
	{"failing disk", func(c *server.Config) {
		var list []export.Fault
		for _, e := range []wire.Errno{wire.EIO, wire.ENOMEM, wire.ENOSPC, wire.EOVERFLOW} {
			list = append(list, export.Fault{Commands: []wire.Command{wire.CmdRead, wire.CmdWrite}, Times: 1, Err: e})
		}
		c.Exports[0].Gate = export.NewFaults(append(list,
			export.Fault{Commands: []wire.Command{wire.CmdWriteZeroes}, Times: 4, Err: wire.ENOTSUP})...)
	}},
}

const size = 8 << 20

// withItself uses the reference server with the reference client in every profile.
func withItself(ctx context.Context) (usage.Set, error) {
	all := usage.Set{}
	run := func(profile string, change func(*server.Config)) error {
		c, about, err := referenceserver.Config(profile, size, "")
		if err != nil {
			return err
		}
		if change != nil {
			change(&c)
		}
		t, err := referenceserver.New(about, func() server.Config { return c })
		if err != nil {
			return err
		}
		items := drive(ctx, t)
		items.Join(withTLS(items, about.TLS, usage.X509))
		all.Join(items)
		return t.Close()
	}
	for _, p := range referenceserver.Profiles() {
		if err := run(p, nil); err != nil {
			return nil, fmt.Errorf("profile %s of the reference server: %w", p, err)
		}
	}
	for _, o := range configurations {
		if err := run("default", o.change); err != nil {
			return nil, fmt.Errorf("the reference server, %s: %w", o.name, err)
		}
	}
	if starttls.BuiltWithGnuTLS {
		for kind := range gnutls {
			items, err := withGnuTLS(ctx, kind)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", kind, err)
			}
			all.Join(items)
		}
	}
	items, err := shutdown(ctx)
	all.Join(items)
	return all, err
}

// withTLS is the kind of TLS, if a session went on within it.
func withTLS(items usage.Set, how starttls.Client, kind string) usage.Set {
	s := usage.Set{}
	if how != nil && items.Has(usage.Option, wire.OptStartTLS.String()) && items.Has(usage.Command, wire.CmdRead.String()) {
		s.Add(usage.Item{Kind: usage.Extension, Name: kind})
	}
	return s
}

// extensionOf is what the support table calls the kinds of TLS.
var extensionOf = map[program.TLSKind]string{
	program.NoTLS: "", program.X509: usage.X509, program.PreSharedKey: usage.PSK, program.Anonymous: usage.Anonymous,
}

// gnutls are the kinds of TLS that take GnuTLS, with either side of them. dir
// has the file of pre-shared keys.
var gnutls = map[string]struct {
	told   subject.TLS
	server func(dir string) (starttls.Server, error)
	client func(dir string) (starttls.Client, error)
}{
	usage.PSK: {
		subject.TLSKey,
		func(dir string) (starttls.Server, error) {
			return starttls.LoadPSKServer(filepath.Join(dir, program.PSK))
		},
		func(dir string) (starttls.Client, error) {
			return starttls.LoadPSKClient(filepath.Join(dir, program.PSK), program.PSKUser)
		},
	},
	usage.Anonymous: {
		subject.TLSAnonymous,
		func(string) (starttls.Server, error) { return starttls.NewAnonymousServer() },
		func(string) (starttls.Client, error) { return starttls.NewAnonymousClient() },
	},
}

// requiringTLS is the configuration of a server that requires a kind of TLS that
// takes GnuTLS.
func requiringTLS(kind, dir string) (server.Config, subject.Profile, error) {
	c, about, err := referenceserver.Config("default", size, "")
	if err != nil {
		return c, about, err
	}
	if err := os.WriteFile(filepath.Join(dir, program.PSK), []byte(program.Keys), 0o644); err != nil { // #nosec: keys of tests, for a program that may be another user
		return c, about, err
	}
	c.TLS.Mode = server.ForcedTLS
	if c.TLS.Server, err = gnutls[kind].server(dir); err != nil {
		return c, about, err
	}
	about.TLS, err = gnutls[kind].client(dir)
	return c, about, err
}

// withGnuTLS has the reference use a kind of TLS that takes GnuTLS.
func withGnuTLS(ctx context.Context, kind string) (usage.Set, error) {
	dir, err := os.MkdirTemp("", "nbdtls")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c, about, err := requiringTLS(kind, dir)
	if err != nil {
		return nil, err
	}
	t, err := referenceserver.New(about, func() server.Config { return c })
	if err != nil {
		return nil, err
	}
	items := drive(ctx, t)
	items.Join(withTLS(items, about.TLS, kind))
	return items, t.Close()
}

// shutdown ends a server while one client negotiates and another waits for a slow
// read, and has both send another request.
func shutdown(ctx context.Context) (usage.Set, error) {
	const pause = 100 * time.Millisecond
	c, _, err := referenceserver.Config("default", size, "")
	if err != nil {
		return nil, err
	}
	c.Exports[0].Gate = export.NewFaults(export.Fault{Commands: []wire.Command{wire.CmdRead}, Delay: 4 * pause})
	srv, err := server.New(c)
	if err != nil {
		return nil, err
	}
	var served sync.WaitGroup
	judges := []*judge.Judge{judge.New(judge.Options{}), judge.New(judge.Options{})}
	var conns []net.Conn
	for _, j := range judges {
		near, far := net.Pipe()
		conns = append(conns, judge.Conn(near, j))
		served.Go(func() { _ = srv.ServeConn(ctx, far) })
	}
	negotiating, err := client.Negotiate(ctx, conns[0], client.Config{Grace: grace})
	if err != nil {
		return nil, err
	}
	using, err := client.Connect(ctx, conns[1], client.Config{Grace: grace})
	if err != nil {
		return nil, err
	}
	served.Go(func() { _ = using.ReadAt(ctx, make([]byte, 4096), 0, 0) })
	time.Sleep(pause)
	served.Go(func() { _ = srv.Shutdown(ctx) })
	time.Sleep(pause)
	_, _ = negotiating.List(ctx)
	_ = using.Flush(ctx)
	_, _ = negotiating.Close(), using.Close()
	err = srv.Close()
	served.Wait()
	items := usage.Set{}
	for _, j := range judges {
		items.Join(usage.Items(j.Transcript(), wire.Current))
	}
	return items, err
}
