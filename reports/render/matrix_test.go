package render

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

// sampleMatrix has several versions of two servers, one of them in two
// profiles, and a hostile one.
func sampleMatrix() matrix.Matrix {
	at := func(r result.Result, name, suite, version, profile string, advertised ...string) result.Result {
		r.Target.Name, r.Target.Release, r.Target.Version, r.Target.Profile = name, suite, version, profile
		r.Target.Advertised = advertised
		return r
	}
	server := matrix.Peer{Name: "qemu-nbd", Release: "trixie", Version: "1:10.0.13+ds"}
	client := matrix.Peer{Name: "nbdcopy", Release: "bookworm", Version: "1.14.2"}
	failing := broken()
	for i := range failing.Specs {
		if s := &failing.Specs[i]; s.Evidence != "" {
			s.Evidence = "runs/qemu-nbd-trixie/" + s.Evidence
			s.Transcript += "\n!! this does not do: the target is gone"
		}
	}
	return matrix.Matrix{
		SchemaVersion: matrix.SchemaVersion, Made: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), Seconds: 12, Reproduce: "nbdconform matrix",
		Runs: []result.Result{
			at(conforms(), "qemu-nbd", "bullseye", "1:5.2+dfsg", "default", "info", "trim"),
			at(failing, "qemu-nbd", "trixie", "1:10.0.13+ds", "default", "info", "trim", "extended-headers"),
			at(conforms(), "qemu-nbd", "trixie", "1:10.0.13+ds", "tls", "starttls"),
			at(hostile(), "nbdkit", "sid", "1.48", "default"),
			at(conforms(), "client:nbdcopy", "trixie", "1.22.2", ""),
		},
		Pairings: []matrix.Pairing{
			{Client: client, Server: server, Operation: matrix.Connect, Outcome: matrix.Works},
			{Client: client, Server: server, Operation: matrix.CopyIn, Outcome: matrix.Corrupt, Detail: "the copy differs"},
			{Client: client, Server: server, Operation: matrix.Map, Outcome: matrix.Degraded, Lost: []string{"extended-headers"}, Detail: "extended-headers"},
		},
		Performance: sampleSpeed(),
		Skipped:     []matrix.Skip{{What: "bullseye", Why: "its archive\nis gone"}},
	}
}

// sampleSpeed has servers that differ a lot, one that did nothing, and a hostile one.
func sampleSpeed() *matrix.Performance {
	p := &matrix.Performance{
		Date: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), Machine: "a \x1b[31m machine", Load: [2]string{"0.10", ""},
		Rounds: 3, Seconds: .2, Size: 32 << 20,
	}
	for i, s := range []matrix.Peer{
		{Name: "qemu-nbd", Release: "bullseye", Version: "1:5.2+dfsg"},
		{Name: "qemu-nbd", Release: "trixie", Version: "1:10.0.13+ds"},
		{Name: "nbdkit", Release: "bookworm-backports", Version: "1.42.3-1~bpo12+1"},
		{Name: "<b>\x1b[31m", Release: "sid"},
	} {
		f := float64(i)
		add := func(load string, bytes int, rates ...float64) {
			p.Speeds = append(p.Speeds, matrix.Speed{
				Server: s, Load: load, Bytes: bytes, PerSecond: rates,
				Microseconds: matrix.Percentiles{P50: 60 * f, P90: 90 * f * f, P99: 400 * f * f * f},
			})
		}
		add("4K rand read x1", 4<<10, 9000*f, 11000*f, 10000*f)
		add("4K rand read x32", 4<<10, 90000*f, 110000*f, 100000*f)
		add("256K seq write x8", 256<<10, 2000*f, 3000*f, 5000*f)
	}
	return p
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

// A matrix in which everything is broken on every server, each in its own way
// and at length, still fits a page.
func TestMatrixPageStaysAPage(t *testing.T) {
	f, err := os.Open("../published/matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := matrix.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Runs {
		for j := range m.Runs[i].Specs {
			s := &m.Runs[i].Specs[j]
			s.Verdict, s.Section, s.Requires = result.Fail, "Some section", strings.Repeat("requirement ", 20)
			s.Message = fmt.Sprintf("want %d, got %s", i, strings.Repeat("something else ", 300))
			s.Transcript, s.Stderr = strings.Repeat("C:        0  NBD_CMD_READ\n", 1000), strings.Repeat("noise\n", 1000)
			s.Reproduce = "nbdconform run --filter " + s.ID
		}
	}
	page := rendered(t, m, MatrixHTML)
	if len(page) > MatrixBytes || !bytes.Contains(page, []byte("shorter here than they might be")) {
		t.Errorf("%d bytes, want at most %d, and a word on it", len(page), MatrixBytes)
	}
	if !bytes.Contains(page, []byte(`more: see <a href="#requirements?side=`)) {
		t.Error("what there was no room for is nowhere")
	}
	if page := rendered(t, sampleMatrix(), MatrixHTML); bytes.Contains(page, []byte("shorter here than they might be")) {
		t.Error("a small page says that it is shortened")
	}
}
