package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"nbdconform/reference/server"
	"nbdconform/reference/setup"
	"nbdconform/reference/wire"
)

// agree refuses flags that contradict each other, or that would have no effect.
func (s *serveFlags) agree(f *pflag.FlagSet) error {
	given := func(names ...string) []string { return changed(f, names...) }
	if list := withoutValue(f); len(list) > 0 { // a variable of a script that is not set
		return fmt.Errorf("%s: the value is empty: say one, or leave the flag out", strings.Join(list, ", "))
	}
	places := given("listen", "unix", "vsock")
	switch alone := given("stdio", "socket-activation"); {
	case len(alone) == 2, len(alone) == 1 && len(places) > 0:
		return fmt.Errorf("give one of %s: each says where clients come from", strings.Join(append(alone, places...), ", "))
	}
	s.placed = len(places) > 0
	s.listening, s.simpleSet = f.Changed("listen"), f.Changed("simple-success")
	s.sizeSet, s.tlsSet = f.Changed("size"), f.Changed("tls")
	content := []string{
		"profile", "size", "file", "pattern", "read-only", "block-size", "context", "handshake", "dialect",
		"no-structured-replies", "no-extended-headers", "unannounced-writes", "simple-success", "quirk", "fault", "tls", "tls-certificates", "tls-psk", "tls-anonymous", "tls-verify-peer",
	}
	if both := given(content...); s.file != "" && len(both) > 0 {
		return fmt.Errorf("%s can't be given with --config: say it in the file", strings.Join(both, ", "))
	}
	if s.check && s.file == "" {
		return fmt.Errorf("--check-config takes --config FILE")
	}
	of := given("file", "pattern", "read-only", "block-size", "context")
	if s.profile != "" && len(of) > 0 {
		return fmt.Errorf("%s can't be given with --profile, which says what the exports are like", strings.Join(of, ", "))
	}
	s.disk.Empty = s.sizeSet && s.disk.Size == 0
	if s.profile != "" && s.disk.Empty {
		return fmt.Errorf("--size 0 can't be given with --profile, whose exports have a size")
	}
	if s.disk.Data.File != "" && s.pattern {
		return fmt.Errorf("give one of --file and --pattern: each says what the export starts with")
	}
	if n := s.disk.BlockSize.Minimum; f.Changed("block-size") && (n == 0 || n > math.MaxUint32) {
		return fmt.Errorf("--block-size %d: want a power of 2, 64K at most", n)
	}
	s.special = len(of) > 0 || s.disk.Empty
	if s.disk.Data.File != "" && !s.sizeSet {
		s.disk.Size = 0
	}
	if s.log != "" && s.log != "connections" && s.log != "requests" {
		return fmt.Errorf("--log %s is neither connections nor requests", s.log)
	}
	if !slices.Contains(setup.Handshakes, s.handshake) {
		return fmt.Errorf("--handshake %s is none of %s", s.handshake, strings.Join(setup.Handshakes, ", "))
	}
	if s.grace < 0 {
		return fmt.Errorf("--grace can't be negative")
	}
	return nil
}

// changed lists those of the flags that were given.
func changed(f *pflag.FlagSet, names ...string) (list []string) {
	for _, n := range names {
		if f.Changed(n) {
			list = append(list, "--"+n)
		}
	}
	return list
}

// withoutValue lists the flags that were given with nothing.
func withoutValue(f *pflag.FlagSet) (list []string) {
	f.Visit(func(g *pflag.Flag) {
		values := []string{g.Value.String()}
		if several, ok := g.Value.(pflag.SliceValue); ok {
			values = several.GetSlice()
		}
		if slices.Contains(values, "") {
			list = append(list, "--"+g.Name)
		}
	})
	return list
}

// fit refuses what the profile, of which cfg is, has otherwise.
func (s *serveFlags) fit(cfg *server.Config) error {
	modes := map[server.TLSMode]string{server.SelectiveTLS: "on", server.ForcedTLS: "require"}
	mode, secure := modes[cfg.TLS.Mode]
	if secure && !s.tlsSet && s.ownTLS() { // other keys, and all else as it is
		s.tls.Mode = mode
	}
	size := cfg.Exports[0].Disk.Size()
	switch {
	case s.profile == "":
	case s.sizeSet && size != uint64(s.disk.Size):
		return fmt.Errorf("--size %d can't be given with --profile %s, whose export has %d bytes", s.disk.Size, s.profile, size)
	case s.dialect != "" && cfg.Dialect != wire.Current && s.dialect != cfg.Dialect.String():
		return fmt.Errorf("--dialect %s can't be given with --profile %s, which has --dialect %v", s.dialect, s.profile, cfg.Dialect)
	case secure && s.tlsSet && s.tls.Mode != mode && slices.Contains([]string{"off", "on", "require"}, s.tls.Mode):
		return fmt.Errorf("--tls %s can't be given with --profile %s, which has --tls %s", s.tls.Mode, s.profile, mode)
	}
	return nil
}

// ownTLS reports whether there are flags about TLS beside its mode.
func (s *serveFlags) ownTLS() bool {
	return s.tls.Certificates != "" || s.tls.PSK != "" || s.tls.Anonymous || s.tls.VerifyPeer
}
