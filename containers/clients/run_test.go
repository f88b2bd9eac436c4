package clients

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/containers/containertest"
)

func TestHowCommandsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		check  func(subject.Report) bool
	}{
		"success": {"echo fine # {uri}", func(r subject.Report) bool { return r.Succeeded() && r.Stdout == "fine\n" }},
		"failure": {"echo no >&2; exit 3 # {uri}", func(r subject.Report) bool { return r.Exit == "exit status 3" && r.Stderr == "no\n" && r.Killed == "" }},
		"a crash": {"kill -SEGV $$ # {uri}", func(r subject.Report) bool { return r.Killed == "segmentation fault" }},
		"a hang":  {"sleep 60 # {uri}", func(r subject.Report) bool { return r.Hung && !r.Succeeded() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Command([]string{"sh", "-c", c.script}, subject.Visit)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close() })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			r, err := p.Do(ctx, subject.Task{Operation: subject.Visit, Server: subject.Address{Socket: filepath.Join(p.Dir(), "s")}})
			if err != nil || !c.check(r) {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func TestProgramsInContainersEndLikewise(t *testing.T) {
	containertest.NeedImage(t, "trixie")
	c, err := Open(t.Context(), Request{Program: "nbdcopy", Release: "trixie"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.Dir()); err == nil {
			t.Errorf("%s is left", c.Dir())
		}
	})
	run := c.(*client).run
	for script, check := range map[string]func(subject.Report) bool{
		"echo fine":           func(r subject.Report) bool { return r.Succeeded() && r.Stdout == "fine\n" },
		"echo no >&2; exit 3": func(r subject.Report) bool { return r.Exit == "exit status 3" && r.Stderr == "no\n" && r.Killed == "" },
		"kill -SEGV $$":       func(r subject.Report) bool { return r.Killed == "segmentation fault" },
		"sleep 60":            func(r subject.Report) bool { return r.Hung },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		r, err := run(ctx, []string{"sh", "-c", script})
		cancel()
		if err != nil || !check(r) {
			t.Errorf("%s: %+v, %v", script, r, err)
		}
	}
	if _, err := run(t.Context(), []string{"no-such-program"}); err == nil {
		t.Error("a program that is not there is no error")
	}
}
