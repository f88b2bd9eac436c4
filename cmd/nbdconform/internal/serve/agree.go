package serve

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"nbdconform/reference/configfile"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// Agree refuses flags that contradict each other, or that would have no effect.
func (s *Options) Agree(f *pflag.FlagSet) error {
	given := func(names ...string) []string { return Changed(f, names...) }
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
	if both := given(content...); s.File != "" && len(both) > 0 {
		return fmt.Errorf("%s can't be given with --config: say it in the file", strings.Join(both, ", "))
	}
	if s.CheckOnly && s.File == "" {
		return fmt.Errorf("--check-config takes --config FILE")
	}
	of := given("file", "pattern", "read-only", "block-size", "context")
	if s.Profile != "" && len(of) > 0 {
		return fmt.Errorf("%s can't be given with --profile, which says what the exports are like", strings.Join(of, ", "))
	}
	s.Disk.Empty = s.sizeSet && s.Disk.Size == 0
	if s.Profile != "" && s.Disk.Empty {
		return fmt.Errorf("--size 0 can't be given with --profile, whose exports have a size")
	}
	if s.Disk.Data.File != "" && s.Pattern {
		return fmt.Errorf("give one of --file and --pattern: each says what the export starts with")
	}
	if n := s.Disk.BlockSize.Minimum; f.Changed("block-size") && (n == 0 || n > math.MaxUint32) {
		return fmt.Errorf("--block-size %d: want a power of 2, 64K at most", n)
	}
	s.special = len(of) > 0 || s.Disk.Empty
	if s.Disk.Data.File != "" && !s.sizeSet {
		s.Disk.Size = 0
	}
	if s.Log != "" && s.Log != "connections" && s.Log != "requests" {
		return fmt.Errorf("--log %s is neither connections nor requests", s.Log)
	}
	if !slices.Contains(configfile.Handshakes, s.Handshake) {
		return fmt.Errorf("--handshake %s is none of %s", s.Handshake, strings.Join(configfile.Handshakes, ", "))
	}
	if s.Grace < 0 {
		return fmt.Errorf("--grace can't be negative")
	}
	return nil
}

// Changed lists those of the flags that were given.
func Changed(f *pflag.FlagSet, names ...string) (list []string) {
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
func (s *Options) fit(cfg *server.Config) error {
	modes := map[server.TLSMode]string{server.SelectiveTLS: "on", server.ForcedTLS: "require"}
	mode, secure := modes[cfg.TLS.Mode]
	if secure && !s.tlsSet && s.ownTLS() { // other keys, and all else as it is
		s.TLS.Mode = mode
	}
	size := cfg.Exports[0].Disk.Size()
	switch {
	case s.Profile == "":
	case s.sizeSet && size != uint64(s.Disk.Size):
		return fmt.Errorf("--size %d can't be given with --profile %s, whose export has %d bytes", s.Disk.Size, s.Profile, size)
	case s.Dialect != "" && cfg.Dialect != wire.Current && s.Dialect != cfg.Dialect.String():
		return fmt.Errorf("--dialect %s can't be given with --profile %s, which has --dialect %v", s.Dialect, s.Profile, cfg.Dialect)
	case secure && s.tlsSet && s.TLS.Mode != mode && slices.Contains([]string{"off", "on", "require"}, s.TLS.Mode):
		return fmt.Errorf("--tls %s can't be given with --profile %s, which has --tls %s", s.TLS.Mode, s.Profile, mode)
	}
	return nil
}

// ownTLS reports whether there are flags about TLS beside its mode.
func (s *Options) ownTLS() bool {
	return s.TLS.Certificates != "" || s.TLS.PSK != "" || s.TLS.Anonymous || s.TLS.VerifyPeer
}
