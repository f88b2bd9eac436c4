package configfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// Build makes the configuration of a server: it reads certificates and keys,
// and opens the files that exports start with. The exports of one server are
// not to be shared with another.
func (c *Config) Build() (server.Config, error) {
	cfg := server.Config{
		NoDefault:           !yes(c.DefaultExport),
		Handshake:           handshakes[c.Handshake],
		NoStructuredReplies: !yes(c.StructuredReplies),
		NoExtendedHeaders:   !yes(c.ExtendedHeaders),
		SimpleSuccess:       c.Quirk == "",
		UnannouncedWrites:   c.UnannouncedWrites,
	}
	if c.SimpleSuccess != nil {
		cfg.SimpleSuccess = *c.SimpleSuccess
	}
	var err error
	if cfg.Dialect, err = wire.DialectOf(c.Dialect); err != nil {
		return cfg, err
	}
	if err := c.replies(&cfg); err != nil {
		return cfg, err
	}
	c.Limits.apply(&cfg)
	if err := c.TLS.apply(&cfg, c.path); err != nil {
		return cfg, fmt.Errorf("tls: %w", err)
	}
	for i := range c.Exports {
		e, err := c.Exports[i].build(c.path)
		if err != nil {
			where := ""
			if n := c.Exports[i].line; n > 0 {
				where = fmt.Sprintf("line %d: ", n)
			}
			return cfg, fmt.Errorf("%sexport %q: %w", where, c.Exports[i].Name, err)
		}
		cfg.Exports = append(cfg.Exports, e)
	}
	if c.Limits.Payload == 0 { // then exports may go beyond the default
		for _, e := range cfg.Exports {
			if n := e.Constraints.MaxPayload; n > max(cfg.PayloadLimit, wire.DefaultMaxPayload) {
				cfg.PayloadLimit = n
			}
		}
	}
	if c.Quirk != "" {
		q, ok := serverquirk.Get(c.Quirk)
		if !ok {
			return cfg, fmt.Errorf("there is no quirk %q (see nbdconform list --quirks)", c.Quirk)
		}
		q.Apply(&cfg)
	}
	_, err = server.New(cfg) // which finds what can't be served
	return cfg, err
}

// replies settles which kinds of replies there are, and refuses keys that would
// have no effect.
func (c *Config) replies(cfg *server.Config) error {
	simple := "" // why replies are always simple ones
	switch {
	case cfg.NoStructuredReplies:
		simple = "structured-replies: false"
	case !cfg.Dialect.Chunks(): // which has the numbers of what takes them
		simple = "dialect: " + c.Dialect
	case cfg.Handshake != server.FixedNewstyle: // which has no options
		simple = "handshake: " + c.Handshake
	}
	compact := simple // why headers are never extended ones
	if compact == "" && cfg.NoExtendedHeaders {
		compact = "extended-headers: false"
	}
	for _, k := range []struct {
		given   bool
		key     string
		without string
	}{
		{c.StructuredReplies != nil && *c.StructuredReplies, "structured-replies: true", simple},
		{c.SimpleSuccess != nil && !*c.SimpleSuccess, "simple-success: false", simple},
		{c.ExtendedHeaders != nil && *c.ExtendedHeaders, "extended-headers: true", simple},
		{c.UnannouncedWrites, "unannounced-writes: true", compact},
	} {
		if k.given && k.without != "" {
			return fmt.Errorf("%s does not go with %s, and would have no effect: leave one of them out", k.key, k.without)
		}
	}
	cfg.NoExtendedHeaders = cfg.NoExtendedHeaders || cfg.NoStructuredReplies
	return nil
}

var handshakes = map[string]server.Handshake{
	"": server.FixedNewstyle, "fixed-newstyle": server.FixedNewstyle,
	"newstyle": server.Newstyle, "oldstyle": server.Oldstyle,
}

// Handshakes are the values of [Config].Handshake, the newest first.
var Handshakes = []string{"fixed-newstyle", "newstyle", "oldstyle"}

func yes(b *bool) bool { return b == nil || *b }

// path is a path of the file, from the working directory.
func (c *Config) path(name string) string {
	if c.dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

func (l Limits) apply(cfg *server.Config) {
	cfg.HandshakeTimeout = time.Duration(l.HandshakeTimeout)
	cfg.OptionLimit, cfg.PayloadLimit, cfg.DiscardLimit = uint32(l.Option), uint32(l.Payload), uint32(l.Discard)
	cfg.InFlight, cfg.AllInFlight, cfg.Workers = int(l.InFlight), int(l.AllInFlight), l.Workers
	cfg.MaxExtents, cfg.MaxConnections = l.Extents, l.Connections
}

// Apply sets cfg up with TLS; paths are as they are.
func (t TLS) Apply(cfg *server.Config) error {
	return t.apply(cfg, func(name string) string { return name })
}

func (t TLS) apply(cfg *server.Config, path func(string) string) error {
	modes := map[string]server.TLSMode{
		"": server.NoTLS, "off": server.NoTLS, "on": server.SelectiveTLS, "require": server.ForcedTLS,
	}
	mode, ok := modes[t.Mode]
	ways := 0
	for _, way := range []bool{t.Certificates != "", t.PSK != "", t.Anonymous} {
		if way {
			ways++
		}
	}
	switch {
	case !ok:
		return fmt.Errorf("the mode %q is none of off, on, require", t.Mode)
	case mode == server.NoTLS && (ways > 0 || t.VerifyPeer):
		return errors.New("without the mode on or require, the rest has no effect")
	case mode == server.NoTLS:
		return nil
	case ways != 1:
		return errors.New("it takes one of certificates, pre-shared keys (psk) and anonymous")
	case t.PSK != "" && t.VerifyPeer:
		return errors.New("verify-peer goes with certificates: a pre-shared key says who the client is")
	case t.Anonymous && t.VerifyPeer:
		return errors.New("verify-peer goes with certificates: who is anonymous can't be verified")
	}
	cfg.TLS.Mode = mode
	var err error
	switch {
	case t.PSK != "":
		cfg.TLS.Server, err = starttls.LoadPSKServer(path(t.PSK))
	case t.Anonymous:
		cfg.TLS.Server, err = starttls.NewAnonymousServer()
	default:
		cfg.TLS.Server, err = starttls.LoadServer(path(t.Certificates), t.VerifyPeer)
	}
	return err
}
