package render

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

// sampleMatrix has several versions of two servers, one of them in two
// profiles, and a hostile one.
func sampleMatrix() matrix.Matrix {
	at := func(r result.Result, name, suite, version, profile string, advertised ...string) result.Result {
		r.Target.Name, r.Target.Suite, r.Target.Version, r.Target.Profile = name, suite, version, profile
		r.Target.Advertised = advertised
		return r
	}
	server := matrix.Peer{Name: "qemu-nbd", Suite: "trixie", Version: "1:10.0.13+ds"}
	client := matrix.Peer{Name: "nbdcopy", Suite: "bookworm", Version: "1.14.2"}
	return matrix.Matrix{
		SchemaVersion: matrix.SchemaVersion, Made: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), Seconds: 12, Reproduce: "nbdconform matrix",
		Runs: []result.Result{
			at(conforms(), "qemu-nbd", "bullseye", "1:5.2+dfsg", "default", "info", "trim"),
			at(broken(), "qemu-nbd", "trixie", "1:10.0.13+ds", "default", "info", "trim", "extended-headers"),
			at(conforms(), "qemu-nbd", "trixie", "1:10.0.13+ds", "tls", "starttls"),
			at(hostile(), "nbdkit", "sid", "1.48", "default"),
			at(conforms(), "client:nbdcopy", "trixie", "1.22.2", ""),
		},
		Pairings: []matrix.Pairing{
			{Client: client, Server: server, Activity: matrix.Connect, Outcome: matrix.Works},
			{Client: client, Server: server, Activity: matrix.CopyIn, Outcome: matrix.Corrupt, Detail: "the copy differs"},
			{Client: client, Server: server, Activity: matrix.Map, Outcome: matrix.Degraded, Lost: []string{"extended-headers"}},
		},
		Skipped: []matrix.Skip{{What: "bullseye", Why: "its archive\nis gone"}},
	}
}

func TestMatrixIsPrintable(t *testing.T) {
	printable(t, string(rendered(t, matrix.Matrix{}, MatrixTerminal)), "")
	printable(t, string(rendered(t, sampleMatrix(), MatrixTerminal)), "")
}

func TestMatrixFilesAreThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := MatrixFiles(dir, sampleMatrix()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "matrix.json"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := matrix.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if got := rendered(t, m, MatrixMarkdown); !bytes.Equal(got, rendered(t, sampleMatrix(), MatrixMarkdown)) {
		t.Error("what was written gives other tables")
	}
}
