package export

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

// lot puts n reads of 8 KiB at the start of an export to the gate; x is one
// that fails.
func lot(g *Faults, n int) string {
	var b strings.Builder
	for range n {
		if g.Admit(wire.CmdRead, 0, 8192, nil) != nil {
			b.WriteByte('x')
		} else {
			b.WriteByte('.')
		}
	}
	return b.String()
}

func TestWhichRequestsAFaultAffects(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    Fault
		want string
	}{
		{"all", Fault{}, "xxxxxxxx"},
		{"after", Fault{After: 2}, "..xxxxxx"},
		{"times", Fault{Times: 3}, "xxx....."},
		{"every", Fault{Every: 3}, "..x..x.."},
		{"all of these", Fault{After: 1, Every: 2, Times: 2}, "..x.x..."},
		{"other commands", Fault{Commands: []wire.Command{wire.CmdWrite, wire.CmdTrim}}, "........"},
		{"this command too", Fault{Commands: []wire.Command{wire.CmdWrite, wire.CmdRead}}, "xxxxxxxx"},
		{"last byte", Fault{Offset: 8191, Length: 1}, "xxxxxxxx"},
		{"beyond", Fault{Offset: 8192}, "........"},
	} {
		tt.f.Err = wire.EIO
		if got := lot(NewFaults(tt.f), 8); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestChanceIsThatOfTheSeed(t *testing.T) {
	f := Fault{Probability: 0.25, Seed: 7, Err: wire.EIO}
	one, two := lot(NewFaults(f), 4000), lot(NewFaults(f), 4000)
	if one != two {
		t.Error("the same seed, and other requests fail")
	}
	if n := strings.Count(one, "x"); n < 900 || n > 1100 {
		t.Errorf("%d of 4000 fail", n)
	}
	f.Seed = 8
	if lot(NewFaults(f), 4000) == one {
		t.Error("another seed, and the same requests fail")
	}
}

func TestTriggerArmsAFault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trigger")
	g := NewFaults(Fault{Trigger: file, Times: 3, Err: wire.EIO})
	got := lot(g, 2)
	check(t, os.WriteFile(file, nil, 0o600))
	got += lot(g, 2)
	check(t, os.Remove(file))
	if got += lot(g, 2); got != "..xx.." {
		t.Errorf("%s, want ..xx..", got)
	}
}

func TestWhatAFaultDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewFaults(
			Fault{Commands: []wire.Command{wire.CmdRead}, Offset: 4096, Length: 512, Err: wire.ENOSPC},
			Fault{Commands: []wire.Command{wire.CmdFlush}, Offset: 4096, Err: ErrNoReply},
			Fault{Commands: []wire.Command{wire.CmdTrim}, Err: ErrHangup},
			Fault{Commands: []wire.Command{wire.CmdWrite}, Delay: time.Minute},
		)
		want := error(&Error{Errno: wire.ENOSPC, Offset: 4096})
		if d := cmp.Diff(want, g.Admit(wire.CmdRead, 0, 8192, nil)); d != "" {
			t.Error(d)
		}
		if !errors.Is(want, wire.ENOSPC) {
			t.Error("it is no NBD_ENOSPC")
		}
		if err := g.Admit(wire.CmdFlush, 0, 0, nil); !errors.Is(err, ErrNoReply) {
			t.Error(err)
		}
		if err := g.Admit(wire.CmdTrim, 0, 1, nil); !errors.Is(err, ErrHangup) {
			t.Error(err)
		}
		began := time.Now()
		if err := g.Admit(wire.CmdWrite, 0, 1, nil); err != nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
