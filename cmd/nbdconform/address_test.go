package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/transport"
	"nbdconform/reports/result"
)

// offer serves exports from this process and returns a URI without a name.
func offer(t *testing.T, cfg server.Config) string {
	t.Helper()
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; !errors.Is(err, server.ErrClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return transport.URI(ln.Addr(), cfg.TLS.Mode == server.ForcedTLS).String()
}

// named is a URI of offer with an export's name.
func named(uri, name string) string { return strings.Replace(uri, "///", "///"+name, 1) }

func disk(name string, size uint64) server.Export {
	return server.Export{Name: name, Disk: export.New(size)}
}

func TestAnAddressIsOnlyReadFromUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	s := serving(t)
	before, spare := fill(t, s.uri), fill(t, s.uri+"/spare")

	o := nbdconform(t, "run", "--uri", s.uri)

	o.want(t, exitConforms)
	r := o.result(t)
	wholeCensus(t, r)
	writers := 0
	for _, e := range census(t) {
		if v := verdicts(r)[e.ID]; e.Writes {
			writers++
			if v != result.Skipped && v != result.Unsupported {
				t.Errorf("%s %s, which writes", v, e.ID)
			}
		} else if v == result.Skipped {
			t.Errorf("%s is skipped and does not write", e.ID)
		}
	}
	if !bytes.Equal(before, contents(t, s.uri)) || !bytes.Equal(spare, contents(t, s.uri+"/spare")) {
		t.Error("the contents have changed")
	}

	o = nbdconform(t, "run", "--uri", s.uri, "--destructive")

	o.want(t, exitConforms)
	if n := len(with(o.result(t), result.Skipped)); n > 0 {
		t.Errorf("%d specs are skipped with --destructive", n)
	}
	if writers > 0 && bytes.Equal(before, contents(t, s.uri)) {
		t.Error("nothing was written with --destructive")
	}
	if !bytes.Equal(spare, contents(t, s.uri+"/spare")) {
		t.Error("another export than the one under test has changed")
	}
}

func TestNothingJudgedIsNothingToTrust(t *testing.T) {
	t.Parallel()
	for _, e := range census(t) {
		if !e.Writes {
			continue
		}
		uri := offer(t, server.Config{Exports: []server.Export{disk("disk", referenceserver.DefaultSize)}})
		o := nbdconform(t, "run", "--uri", uri, "--filter", "writes")
		o.want(t, exitUntrusted)
		if all := o.stdout + o.stderr; !strings.Contains(all, "nothing was judged") {
			t.Errorf("it does not say why:\n%s", all)
		}
		return
	}
	t.Skip("no spec writes")
}

func TestTheExportIsFound(t *testing.T) {
	t.Parallel()
	several := func() server.Config {
		return server.Config{Exports: []server.Export{disk("a", 1<<20), disk("b", 2<<20), disk("", 4<<20)}}
	}
	noDefault := func() server.Config {
		c := several()
		c.NoDefault, c.Exports = true, c.Exports[:2]
		return c
	}
	hidden := noDefault()
	for i := range hidden.Exports {
		hidden.Exports[i].Hidden = true
	}
	for name, tc := range map[string]struct {
		cfg      server.Config
		uri      string // name in the URI
		args     []string
		want     string // the export that is tested
		wantSize uint64
		refused  string
	}{
		"the default export":                   {cfg: several(), want: "", wantSize: 4 << 20},
		"the first of the list, no default":    {cfg: noDefault(), want: "a", wantSize: 1 << 20},
		"the one in the URI":                   {cfg: noDefault(), uri: "b", want: "b", wantSize: 2 << 20},
		"the one of --export":                  {cfg: noDefault(), args: argWords("--export b"), want: "b", wantSize: 2 << 20},
		"--export before the one in the URI":   {cfg: several(), uri: "a", args: argWords("--export b"), want: "b", wantSize: 2 << 20},
		"a hidden one by its name":             {cfg: hidden, uri: "b", want: "b", wantSize: 2 << 20},
		"none, as the name in the URI is none": {cfg: several(), uri: "c", refused: `no export "c": it lists ["a" "b" ""]`},
		"none, as --export names none":         {cfg: noDefault(), args: argWords("--export c"), refused: `no export "c": it lists ["a" "b"]`},
		"none, as none is known":               {cfg: hidden, refused: `no export "" and lists none: name one with --export`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			uri := named(offer(t, tc.cfg), tc.uri)
			o := nbdconform(t, append(argWords("run --filter greeting.fixed-newstyle --uri "+uri), tc.args...)...)
			if tc.refused != "" {
				o.want(t, exitUntrusted)
				if !strings.Contains(o.stderr, tc.refused) {
					t.Errorf("stderr %q, want %q", o.stderr, tc.refused)
				}
				return
			}
			o.want(t, exitConforms)
			if got := o.result(t).Target; got.Export != tc.want || got.Size != tc.wantSize {
				t.Errorf("export %q of %d bytes, want %q of %d", got.Export, got.Size, tc.want, tc.wantSize)
			}
		})
	}
}

func TestSmallExportsAreJudgedAsFarAsTheyGo(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]uint64{"one block": 512, "one page": 4096, "an odd size": 1<<20 + 1, "nothing at all": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			uri := offer(t, server.Config{Exports: []server.Export{disk("disk", size)}})
			o := nbdconform(t, "run", "--uri", uri, "--destructive")
			o.want(t, exitConforms)
			wholeCensus(t, o.result(t))
		})
	}
}
