package serve

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/configfile"
	"nbdconform/reference/export"
	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/server"
)

// Options say what to serve, where and how. Flags of the same names set them.
type Options struct {
	Listen, Unix, Vsock []string
	Stdio, Activation   bool

	File      string // the configuration
	CheckOnly bool   // of File
	Profile   string
	Disk      configfile.Export // that the flags describe
	Pattern   bool

	Handshake, Dialect       string
	NoStructured, NoExtended bool
	Unannounced              bool
	SimpleSuccess            bool
	Quirk                    string
	Faults                   []string
	TLS                      configfile.TLS

	Grace   time.Duration
	Log     string
	PIDFile string
	Out     io.Writer // for the URIs at which clients find it

	// What [Options.Agree] finds out.
	placed    bool // one of Listen, Unix and Vsock was given
	listening bool // Listen was
	special   bool // Disk is more than its size
	sizeSet   bool // its size was given
	simpleSet bool // SimpleSuccess was
	tlsSet    bool // the mode of TLS was
}

// Config is the configuration that the flags or the file ask for.
func (s *Options) Config() (cfg server.Config, err error) {
	if s.File != "" {
		cfg, err = s.fromFile()
	} else {
		cfg, err = s.fromFlags()
	}
	if s.Log != "" {
		level := slog.LevelInfo
		if s.Log == "requests" {
			level = slog.LevelDebug
		}
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	}
	return cfg, err
}

func (s *Options) fromFile() (server.Config, error) {
	c, err := configfile.Load(s.File)
	if err != nil {
		return server.Config{}, err
	}
	cfg, err := c.Build()
	if err != nil {
		return cfg, fmt.Errorf("%s: %w", s.File, err)
	}
	if !s.placed && len(c.Listen) > 0 {
		s.Listen, s.Unix, s.Vsock, s.placed, s.listening = nil, nil, nil, true, true
		for _, a := range c.Addresses() {
			switch {
			case a.TCP != "":
				s.Listen = append(s.Listen, a.TCP)
			case a.Unix != "":
				s.Unix = append(s.Unix, a.Unix)
			default:
				s.Vsock = append(s.Vsock, a.Vsock)
			}
		}
	}
	return cfg, nil
}

func (s *Options) fromFlags() (server.Config, error) {
	size := max(uint64(s.Disk.Size), 1) // 0 is that of a file, which replaces the disk
	if _, _, err := referenceserver.Config(s.Profile, size, s.Quirk); err != nil {
		return server.Config{}, err
	}
	cfg, _, err := referenceserver.Config(s.Profile, size, "")
	if err != nil {
		return cfg, err
	}
	if err := s.fit(&cfg); err != nil {
		return cfg, err
	}
	if err := s.modify(&cfg); err != nil {
		return cfg, err
	}
	if s.TLS.Mode != "off" || s.ownTLS() {
		if err := s.TLS.Apply(&cfg); err != nil {
			return cfg, fmt.Errorf("--tls: %w", err)
		}
	}
	if q, ok := serverquirk.Get(s.Quirk); ok { // they may have to do with all of it
		q.Apply(&cfg)
	}
	return cfg, nil
}

// modify changes what a profile has by what the flags say.
func (s *Options) modify(cfg *server.Config) error {
	s.Disk.Name, s.Disk.Description = cfg.Exports[0].Name, cfg.Exports[0].Description
	for _, text := range s.Faults {
		f, err := configfile.ParseFault(text)
		if err != nil {
			return fmt.Errorf("--fault %q: %s", text, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		s.Disk.Faults = append(s.Disk.Faults, f)
	}
	if s.Pattern {
		s.Disk.Data.Pattern = "offsets"
	}
	if !s.special { // faults have to be within what the profile has
		s.Disk.Size = configfile.Size(cfg.Exports[0].Disk.Size())
		if d, ok := cfg.Exports[0].Disk.(*export.Resizable); ok {
			s.Disk.Resizable = configfile.Size(d.Most())
		}
	}
	c := configfile.Config{
		Exports: []configfile.Export{s.Disk}, Handshake: s.Handshake, Dialect: s.Dialect, UnannouncedWrites: s.Unannounced,
	}
	if s.Dialect == "" {
		c.Dialect = cfg.Dialect.String()
	}
	if s.simpleSet {
		c.SimpleSuccess = &s.SimpleSuccess
	}
	if s.NoStructured {
		c.StructuredReplies = new(bool)
	}
	if s.NoExtended || cfg.NoExtendedHeaders {
		c.ExtendedHeaders = new(bool)
	}
	made, err := c.Build()
	if err != nil {
		return err
	}
	if s.special {
		if s.Disk.Contexts == nil {
			made.Exports[0].Contexts = nil
		}
		cfg.Exports[0] = made.Exports[0]
	}
	cfg.Exports[0].Gate = made.Exports[0].Gate
	cfg.Handshake = made.Handshake
	cfg.Dialect = made.Dialect
	cfg.NoStructuredReplies, cfg.NoExtendedHeaders = made.NoStructuredReplies, made.NoExtendedHeaders
	cfg.UnannouncedWrites = made.UnannouncedWrites
	cfg.SimpleSuccess = made.SimpleSuccess && (s.simpleSet || s.Quirk == "") // quirks look for chunks
	return nil
}
