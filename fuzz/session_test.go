package fuzz

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
)

// files are the scripts below testdata, by path.
func files(t testing.TB, dir string) map[string]session.Saved {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*"+session.Extension))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts in testdata/%s (error %v)", dir, err)
	}
	all := make(map[string]session.Saved)
	for _, p := range paths {
		s, err := session.Load(p)
		if err != nil {
			t.Fatal(err)
		}
		all[p] = s
	}
	return all
}

// once runs a script on a fresh reference server.
func once(ctx context.Context, t testing.TB, s script.Script, quirk string) session.Result {
	t.Helper()
	r, err := session.Reference(s.Profile, quirk)
	if err != nil {
		return session.Result{} // there is no such profile
	}
	defer r.Close()
	r.Patience = 3 * time.Second
	if quirk != "" {
		r.Patience = 300 * time.Millisecond
	}
	return session.Run(ctx, s, &r.Target)
}

// FuzzServerSession runs scripts on the reference server, in any profile.
// There must be no finding: no clause is broken on any connection, contents
// and outcomes are those of the model, all that is due comes, and another
// connection is served afterwards. The input is a script as text; what is no
// such text is decoded. A failure is shown as a short script.
func FuzzServerSession(f *testing.F) {
	for _, s := range files(f, "scripts") {
		f.Add(s.Script.String())
	}
	for seed := range uint64(20) {
		f.Add(script.Generate(seed, script.Options{Profiles: session.Profiles()}).String())
	}
	f.Add("\x01\x02\x03 any bytes are a script")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := script.Parse(text)
		if err != nil {
			s = script.Decode([]byte(text), script.Options{Profiles: session.Profiles()})
		}
		if len(s.Ops) > 300 {
			return
		}
		found := once(t.Context(), t, s, "").Findings
		if len(found) == 0 {
			return
		}
		small := script.Shrink(s, 200, func(s script.Script) bool {
			_, again := once(t.Context(), t, s, "").Has(found[0].Signature())
			return again
		})
		t.Fatalf("%v\n%v\n%s", found[0], small, found[0].Transcript)
	})
}

// Scripts that are kept show nothing on the good server; findings show what
// they say with the quirk that they name, and nothing without it.
func TestKeptScripts(t *testing.T) {
	for path, s := range files(t, "scripts") {
		for _, f := range once(t.Context(), t, s.Script, "").Findings {
			t.Errorf("%s: %v\n%s", path, f, f.Transcript)
		}
	}
}

func TestKeptFindings(t *testing.T) {
	for path, s := range files(t, "findings") {
		r := once(t.Context(), t, s.Script, s.Quirk)
		if _, ok := r.Has(s.Finding); !ok {
			t.Errorf("%s: want %q, found %v", path, s.Finding, r.Findings)
		}
		for _, f := range once(t.Context(), t, s.Script, "").Findings {
			t.Errorf("%s, without the quirk: %v\n%s", path, f, f.Transcript)
		}
		if _, err := os.Stat(path[:len(path)-len(session.Extension)] + ".py"); err != nil {
			t.Errorf("%s: its reproducer is missing: %v", path, err)
		}
	}
}

// BenchmarkSession measures sessions: a server that starts, a script of five
// operations, judge and model, and the reading behind it.
func BenchmarkSession(b *testing.B) {
	text := "0 flags FIXED_NEWSTYLE|NO_ZEROES\n0 NBD_OPT_STRUCTURED_REPLY\n0 NBD_OPT_GO export=\"\"\n" +
		"0 NBD_CMD_WRITE offset=4096 length=512 fill=1\n0 NBD_CMD_READ offset=4096 length=512\n"
	for name, probe := range map[string]bool{"with probe": true, "without": false} {
		b.Run(name, func(b *testing.B) {
			s, err := script.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				r, err := session.Reference("", "")
				if err != nil {
					b.Fatal(err)
				}
				r.NoProbe = !probe
				if result := session.Run(b.Context(), s, &r.Target); len(result.Findings) > 0 || result.Requests < 2 {
					b.Fatal(result)
				}
				r.Close()
			}
			perCPU(b, before, "sessions")
		})
	}
}

// BenchmarkGenerated measures what a fuzzer does: scripts that are generated.
func BenchmarkGenerated(b *testing.B) {
	n, before := uint64(0), cpu()
	for b.Loop() {
		s := script.Generate(n, script.Options{Profiles: session.Profiles()})
		if found := once(b.Context(), b, s, "").Findings; len(found) > 0 {
			b.Fatal(found[0])
		}
		n++
	}
	perCPU(b, before, "sessions")
}

// cpu is how much time this process has computed.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // can't fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perCPU reports iterations per second of one core, whatever else the machine does.
func perCPU(b *testing.B, before time.Duration, of string) {
	b.ReportMetric(float64(b.N)/(cpu()-before).Seconds(), of+"/core-s")
}
