package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"nbdconform/cmd/nbdconform/internal/serve"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// configured is what serve would serve with these arguments.
func configured(t *testing.T, args ...string) (server.Config, error) {
	t.Helper()
	var s serve.Options
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	for _, g := range serveFlags(&s) {
		f.AddFlagSet(g.FlagSet)
	}
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	if err := s.Agree(f); err != nil {
		return server.Config{}, err
	}
	cfg, err := s.Config()
	if err == nil {
		_, err = server.New(cfg)
	}
	return cfg, err
}

// Each flag is honoured in each profile, or refused.
func TestServeIgnoresNoFlagInAProfile(t *testing.T) {
	t.Parallel()
	tls := certificates(t)
	allBut := func(names ...string) []string {
		return slices.DeleteFunc(referenceserver.Profiles(), func(p string) bool { return slices.Contains(names, p) })
	}
	chunks := func(c server.Config) bool {
		return c.Dialect.Chunks() && !c.NoStructuredReplies && c.Handshake == server.FixedNewstyle
	}
	for _, flag := range []struct {
		args    []string
		refused []string // by these profiles
		holds   func(server.Config) bool
	}{
		{argWords("--size 3M"), []string{"huge"}, func(c server.Config) bool { return c.Exports[0].Disk.Size() == 3<<20 }},
		{argWords("--size 6G"), nil, func(c server.Config) bool { return c.Exports[0].Disk.Size() == 6<<30 }},
		{argWords("--handshake newstyle"), argWords("tls tls-required"), func(c server.Config) bool { return c.Handshake == server.Newstyle }},
		{argWords("--dialect write-zeroes-rfc"), argWords("dialect-get-lba-status"), func(c server.Config) bool { return c.Dialect == wire.WriteZeroesRFC }},
		{argWords("--dialect get-lba-status"), argWords("dialect-write-zeroes-rfc"), func(c server.Config) bool { return c.Dialect == wire.GetLBAStatus }},
		{argWords("--dialect current"), argWords("dialect-get-lba-status dialect-write-zeroes-rfc"), func(c server.Config) bool { return c.Dialect == wire.Current }},
		{argWords("--no-structured-replies"), nil, func(c server.Config) bool { return c.NoStructuredReplies }},
		{argWords("--no-extended-headers"), nil, func(c server.Config) bool { return c.NoExtendedHeaders }},
		{argWords("--unannounced-writes"), argWords("no-extended-headers dialect-get-lba-status"), func(c server.Config) bool {
			return c.UnannouncedWrites && !c.NoExtendedHeaders && chunks(c)
		}},
		{argWords("--simple-success=false"), argWords("dialect-get-lba-status"), func(c server.Config) bool { return !c.SimpleSuccess && chunks(c) }},
		{argWords("--quirk reply-cookie-off-by-one"), nil, func(c server.Config) bool { return c.Hooks != nil || c.ConnHooks != nil }},
		{[]string{"--fault", "error: EIO, offset: 1M"}, nil, func(c server.Config) bool { return c.Exports[0].Gate != nil }},
		{[]string{"--fault", "error: EIO, offset: 100M"}, allBut("huge", "resize"), func(c server.Config) bool { return c.Exports[0].Gate != nil }},
		{argWords("--tls on --tls-certificates " + tls), argWords("tls-required"), func(c server.Config) bool { return c.TLS.Mode == server.SelectiveTLS }},
		{argWords("--tls require --tls-certificates " + tls), argWords("tls"), func(c server.Config) bool { return c.TLS.Mode == server.ForcedTLS }},
		{argWords("--tls-certificates " + tls), allBut("tls", "tls-required"), func(c server.Config) bool { return c.TLS.Mode != server.NoTLS }},
		{argWords("--tls off"), argWords("tls tls-required"), func(c server.Config) bool { return c.TLS.Mode == server.NoTLS }},
		{argWords("--size 0"), referenceserver.Profiles(), nil},
		{argWords("--file x"), referenceserver.Profiles(), nil},
		{argWords("--pattern"), referenceserver.Profiles(), nil},
		{argWords("--read-only"), referenceserver.Profiles(), nil},
		{argWords("--block-size 4096"), referenceserver.Profiles(), nil},
		{argWords("--context base:allocation"), referenceserver.Profiles(), nil},
	} {
		var refused []string
		for _, p := range referenceserver.Profiles() {
			cfg, err := configured(t, append([]string{"--profile", p}, flag.args...)...)
			if err != nil {
				refused = append(refused, p)
			} else if flag.holds != nil && !flag.holds(cfg) {
				t.Errorf("%v is ignored in the profile %s", flag.args, p)
			}
		}
		if d := cmp.Diff(flag.refused, refused); d != "" {
			t.Errorf("%v: profiles that refuse it (-want +got)\n%s", flag.args, d)
		}
	}
}
