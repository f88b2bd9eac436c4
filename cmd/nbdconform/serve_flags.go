package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"nbdconform/conformance/target/inprocess"
	"nbdconform/reference/export"
	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/server"
	"nbdconform/reference/setup"
	"nbdconform/reference/wire"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	listen, unix, vsock []string
	stdio, activation   bool
	placed              bool // one of listen, unix and vsock is given
	listening           bool // listen is

	file    string // the configuration
	check   bool
	profile string
	disk    setup.Export // that the flags describe
	pattern bool
	special bool // disk is more than its size
	sizeSet bool // the flag was given

	handshake, dialect     string
	noStructured, noExtend bool
	unannounced            bool
	simple, simpleSet      bool // simpleSet: the flag was given
	quirk                  string
	faults                 []string
	tls                    setup.TLS
	tlsSet                 bool // its mode was given

	grace   time.Duration
	log     string
	pidFile string
}

func (s *serveFlags) groups() []flagGroup {
	where := group("Where clients come from")
	where.StringArrayVar(&s.listen, "listen", []string{"localhost:10809"}, "TCP `address`, HOST:PORT; this flag and the next two can be repeated")
	where.StringArrayVar(&s.unix, "unix", nil, "`path` of a Unix socket, or @ and an abstract name")
	where.StringArrayVar(&s.vsock, "vsock", nil, "vsock `address`, PORT or CID:PORT")
	where.BoolVar(&s.stdio, "stdio", false, "serve one client on standard input and output, and end with it")
	where.BoolVar(&s.activation, "socket-activation", false, "insist on sockets that whoever started it passes on; "+
		"without this flag and the ones above it takes them where there are some")

	what := group("What they find")
	s.disk.Size = inprocess.DefaultSize
	what.StringVar(&s.file, "config", "", "configuration `file`, see docs/serve.md")
	what.BoolVar(&s.check, "check-config", false, "say whether the configuration file is good, and end")
	what.StringVar(&s.profile, "profile", "", "how to set it up (see nbdconform list --profiles)")
	what.Var(&s.disk.Size, "size", "size of the export, in bytes or with K, M, G, T, P, E")
	what.StringVar(&s.disk.Data.File, "file", "", "`file` that it starts with, and its size without --size; changes stay in memory")
	what.BoolVar(&s.pattern, "pattern", false, "it starts with a pattern: every 8 bytes are their own offset")
	what.BoolVar(&s.disk.ReadOnly, "read-only", false, "it can't be written to")
	what.Var(&s.disk.BlockSize.Minimum, "block-size", "minimum block size")
	what.StringArrayVar(&s.disk.Contexts, "context", nil, "`name` of a metadata context, such as qemu:dirty-bitmap:b0; can be repeated")

	how := group("How it behaves")
	how.StringVar(&s.tls.Mode, "tls", "off", "off, on: for clients that ask for it (SELECTIVETLS), or require (FORCEDTLS)")
	how.StringVar(&s.tls.Certificates, "tls-certificates", "", "`directory` with server-cert.pem, server-key.pem and ca-cert.pem")
	how.StringVar(&s.tls.PSK, "tls-psk", "", "`file` of pre-shared keys, name:hex lines, instead of certificates")
	how.BoolVar(&s.tls.Anonymous, "tls-anonymous", false, "no certificates: nobody says who they are, and somebody in between can read all")
	how.BoolVar(&s.tls.VerifyPeer, "tls-verify-peer", false, "take clients with a certificate that ca-cert.pem signed only")
	how.StringVar(&s.handshake, "handshake", setup.Handshakes[0], strings.Join(setup.Handshakes, ", "))
	how.StringVar(&s.dialect, "dialect", "", "speak a draft in place of what has its numbers now: "+strings.Join(wire.Dialects()[1:], " or "))
	how.BoolVar(&s.noStructured, "no-structured-replies", false, "know neither structured replies nor what builds on them")
	how.BoolVar(&s.noExtend, "no-extended-headers", false, "know no extended headers")
	how.BoolVar(&s.unannounced, "unannounced-writes", false, "take what QEMU writes with extended headers: without NBD_CMD_FLAG_PAYLOAD_LEN")
	how.BoolVar(&s.simple, "simple-success", true, "with structured replies, tell by a simple reply that a write or the like succeeded; not by default with --quirk")
	how.StringVar(&s.quirk, "quirk", "", "misbehave (see nbdconform list --quirks)")
	how.StringArrayVar(&s.faults, "fault", nil, "`fault` of the first export, as in a configuration file; can be repeated")

	running := group("How it runs")
	running.DurationVar(&s.grace, "grace", 5*time.Second, "how long clients may stay after SIGTERM or SIGINT")
	running.StringVar(&s.log, "log", "", "say on stderr what goes on: `connections` or requests")
	running.StringVar(&s.pidFile, "pid-file", "", "`file` to write the process id to while it runs")
	return []flagGroup{where, what, how, running}
}

// config is the configuration that the flags or the file ask for.
func (s *serveFlags) config() (cfg server.Config, err error) {
	if s.file != "" {
		cfg, err = s.fromFile()
	} else {
		cfg, err = s.fromFlags()
	}
	if s.log != "" {
		level := slog.LevelInfo
		if s.log == "requests" {
			level = slog.LevelDebug
		}
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	}
	return cfg, err
}

func (s *serveFlags) fromFile() (server.Config, error) {
	c, err := setup.Load(s.file)
	if err != nil {
		return server.Config{}, err
	}
	cfg, err := c.Build()
	if err != nil {
		return cfg, fmt.Errorf("%s: %w", s.file, err)
	}
	if !s.placed && len(c.Listen) > 0 {
		s.listen, s.unix, s.vsock, s.placed, s.listening = nil, nil, nil, true, true
		for _, a := range c.Addresses() {
			switch {
			case a.TCP != "":
				s.listen = append(s.listen, a.TCP)
			case a.Unix != "":
				s.unix = append(s.unix, a.Unix)
			default:
				s.vsock = append(s.vsock, a.Vsock)
			}
		}
	}
	return cfg, nil
}

func (s *serveFlags) fromFlags() (server.Config, error) {
	size := max(uint64(s.disk.Size), 1) // 0 is that of a file, which replaces the disk
	if _, _, err := inprocess.Config(s.profile, size, s.quirk); err != nil {
		return server.Config{}, err
	}
	cfg, _, err := inprocess.Config(s.profile, size, "")
	if err != nil {
		return cfg, err
	}
	if err := s.fit(&cfg); err != nil {
		return cfg, err
	}
	if err := s.modify(&cfg); err != nil {
		return cfg, err
	}
	if s.tls.Mode != "off" || s.ownTLS() {
		if err := s.tls.Apply(&cfg); err != nil {
			return cfg, fmt.Errorf("--tls: %w", err)
		}
	}
	if q, ok := serverquirk.Get(s.quirk); ok { // they may have to do with all of it
		q.Apply(&cfg)
	}
	return cfg, nil
}

// modify changes what a profile has by what the flags say.
func (s *serveFlags) modify(cfg *server.Config) error {
	s.disk.Name, s.disk.Description = cfg.Exports[0].Name, cfg.Exports[0].Description
	for _, text := range s.faults {
		f, err := setup.ParseFault(text)
		if err != nil {
			return fmt.Errorf("--fault %q: %s", text, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		s.disk.Faults = append(s.disk.Faults, f)
	}
	if s.pattern {
		s.disk.Data.Pattern = "offsets"
	}
	if !s.special { // faults have to be within what the profile has
		s.disk.Size = setup.Size(cfg.Exports[0].Disk.Size())
		if d, ok := cfg.Exports[0].Disk.(*export.Resizable); ok {
			s.disk.Resizable = setup.Size(d.Most())
		}
	}
	c := setup.Config{
		Exports: []setup.Export{s.disk}, Handshake: s.handshake, Dialect: s.dialect, UnannouncedWrites: s.unannounced,
	}
	if s.dialect == "" {
		c.Dialect = cfg.Dialect.String()
	}
	if s.simpleSet {
		c.SimpleSuccess = &s.simple
	}
	if s.noStructured {
		c.StructuredReplies = new(bool)
	}
	if s.noExtend || cfg.NoExtendedHeaders {
		c.ExtendedHeaders = new(bool)
	}
	made, err := c.Build()
	if err != nil {
		return err
	}
	if s.special {
		if s.disk.Contexts == nil {
			made.Exports[0].Contexts = nil
		}
		cfg.Exports[0] = made.Exports[0]
	}
	cfg.Exports[0].Gate = made.Exports[0].Gate
	cfg.Handshake = made.Handshake
	cfg.Dialect = made.Dialect
	cfg.NoStructuredReplies, cfg.NoExtendedHeaders = made.NoStructuredReplies, made.NoExtendedHeaders
	cfg.UnannouncedWrites = made.UnannouncedWrites
	cfg.SimpleSuccess = made.SimpleSuccess && (s.simpleSet || s.quirk == "") // quirks look for chunks
	return nil
}
