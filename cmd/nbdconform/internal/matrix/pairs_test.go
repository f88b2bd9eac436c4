package matrix

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/containers/pairing"
	"nbdconform/reference/starttls"
	report "nbdconform/reports/matrix"
)

func TestPairsGoOnWhereTheyStopped(t *testing.T) {
	dir := t.TempDir()
	run := func() (string, []report.Pairing) {
		var said strings.Builder
		m := pairs{Store: Store{Version: "v1"}, dir: dir, jobs: 2, show: console.OverviewLines(&said), clients: []report.Peer{{Name: pairing.Reference}}}
		list, missing, err := m.run(context.Background())
		if err != nil || len(missing) > 0 {
			t.Fatal(err, missing)
		}
		return said.String(), list
	}
	works := len(report.Operations)
	if !starttls.BuiltWithGnuTLS {
		works-- // pre-shared keys
	}
	said, first := run()
	if len(first) != len(report.Operations) || !strings.Contains(said, fmt.Sprint(works, " works")) {
		t.Fatalf("%d pairings; it said %s", len(first), said)
	}
	said, again := run()
	if len(again) != len(first) || !strings.Contains(said, "already there") {
		t.Errorf("it said %s", said)
	}
	file := filepath.Join(dir, "reference--reference.json")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]string{
		"another suite": strings.Replace(string(b), `"version": "v1"`, `"version": "v0"`, 1),
		"another image": strings.Replace(string(b), `"name": "reference"`, `"name": "reference", "image": "sha256:2"`, 1),
		"half a file":   string(b[:len(b)/2]),
	} {
		if change == string(b) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if err := os.WriteFile(file, []byte(change), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, _ := run(); strings.Contains(said, "already there") {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestSomeClients(t *testing.T) {
	if list, err := someClients([]string{"none"}); err != nil || list != nil {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := someClients(nil); err != nil || len(list) < 7 || list[0] != pairing.Reference {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := someClients([]string{"nbdcopier"}); err == nil || !strings.Contains(err.Error(), `unknown client "nbdcopier"`) {
		t.Errorf("%v", err)
	}
}
