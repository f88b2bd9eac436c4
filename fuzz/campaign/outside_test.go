package campaign

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/containers"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reports/fuzzing"
)

// flawVariable makes the test binary a server with a flaw.
const flawVariable = "NBDCONFORM_TEST_FLAW"

var (
	leaked   []any // of the flawed server
	accepted int   // by it
)

func TestMain(m *testing.M) {
	if flaw := os.Getenv(flawVariable); flaw != "" {
		serveFlawed(flaw, os.Args[1])
	}
	os.Exit(m.Run())
}

// serveFlawed is the reference server, but for what the flaw does.
func serveFlawed(flaw, socket string) {
	var disk export.Export = export.New(1 << 20)
	if flaw == "slow" {
		disk = lazy{disk}
	}
	srv, err := server.New(server.Config{Exports: []server.Export{{Disk: disk}}})
	if err != nil {
		panic(err)
	}
	ln, err := net.Listen("unix", socket)
	if err != nil {
		panic(err)
	}
	for {
		nc, err := ln.Accept()
		if err != nil {
			os.Exit(0)
		}
		switch flaw {
		case "mortal":
			if accepted++; accepted == 40 {
				os.Exit(3)
			}
		case "descriptors":
			f, _ := os.Open(os.DevNull)
			leaked = append(leaked, f)
		case "memory":
			b := make([]byte, 8<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			leaked = append(leaked, b)
		}
		go func() {
			_ = srv.ServeConn(context.Background(), nc)
			_ = nc.Close()
		}()
	}
}

// A lazy disk takes its time to flush.
type lazy struct{ export.Export }

func (d lazy) Flush() error {
	time.Sleep(2 * time.Second)
	return d.Export.Flush()
}

// onFlawed is a campaign on a process with a flaw.
func onFlawed(t *testing.T, flaw string, goal time.Duration) fuzzing.Record {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := containers.Command(t.Context(), []string{"env", flawVariable + "=" + flaw, self, "{socket}"},
		subject.Profile{Exports: []string{""}, Size: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	server := Served(s)
	defer func() { _ = server.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	return run(t, ctx, Options{
		Subject: fuzzing.Subject{Kind: "server", Name: "flawed", Profile: flaw},
		Server:  server, Guide: Reference{}, Dir: t.TempDir(), Goal: goal, Seed: 1, Patience: 300 * time.Millisecond,
		Progress: func(r fuzzing.Record, _ time.Duration) {
			if len(r.Broken()) > 0 {
				stop()
			}
		},
	})
}

// What a server takes and does not give back is found, confirmed and made
// short, and so is one that takes too long.
func TestTheLookFromOutside(t *testing.T) {
	if testing.Short() {
		t.Skip("watches other processes for minutes, where the race detector makes them slow and large")
	}
	t.Parallel()
	for flaw, want := range map[string]string{
		"descriptors": "leak  descriptors", "memory": "leak  memory", "slow": "hang ", "mortal": "crash trans.end.unjustified.server exit status 3",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			r := onFlawed(t, flaw, 12*time.Second)
			if list := r.Broken(); len(list) == 0 || !strings.HasPrefix(list[0].Signature, want) || flaw != "mortal" && list[0].Standing != fuzzing.New {
				t.Errorf("want %q, there is %+v", want, list)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		if r := onFlawed(t, "none", 6*time.Second); len(r.Findings) > 0 || r.Execs < 20 {
			t.Errorf("%s: %+v", r.Conclusion(), r.Findings)
		}
	})
}
