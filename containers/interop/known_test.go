package interop

import (
	"strings"
	"testing"

	"nbdconform/containers/known"
	"nbdconform/reports/matrix"
)

func TestKnownPairingsAreRead(t *testing.T) {
	list, err := parseKnown(known.Pairings)
	if err != nil || len(list) == 0 {
		t.Errorf("%d entries, %v", len(list), err)
	}
}

func TestKnownPairingsThatMakeNoSense(t *testing.T) {
	const sound = "pairings: 1\nentries:\n  - {client: qemu-img, server: reference, profile: default, operation: copy-in, outcome: broken, reason: x}\n"
	if _, err := parseKnown([]byte(sound)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"another format":        {"pairings: 1", "pairings: 2", "format 2 is unknown"},
		"an unknown key":        {"reason:", "because:", "because"},
		"an unknown client":     {"qemu-img", "qemu-imp", `unknown client "qemu-imp"`},
		"an unknown server":     {"server: reference", "server: nbd", `unknown server "nbd"`},
		"not the reference":     {"server: reference", "server: nbdkit", "one of client and server"},
		"the reference twice":   {"qemu-img", "reference", "one of client and server"},
		"an unknown profile":    {"default", "defaults", `unknown profile "defaults"`},
		"an unknown operation":  {"copy-in", "copy", `unknown operation "copy"`},
		"an outcome that works": {"broken", "works", `outcome "works"`},
		"no reason":             {"reason: x", "reason: ''", "no reason"},
		"a range of no version": {"reason:", "versions: '>= x', reason:", "version"},
	} {
		if _, err := parseKnown([]byte(strings.Replace(sound, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}

func TestFailuresAreComparedWithKnownPairings(t *testing.T) {
	pair := func(client, version, profile string, o matrix.Outcome) Pairing {
		return Pairing{matrix.Pairing{
			Client: matrix.Peer{Name: client, Version: version}, Server: matrix.Peer{Name: "reference"}, Operation: matrix.CopyIn, Outcome: o,
		}, profile}
	}
	entry := Known{
		Client: "qemu-img", Server: "reference", Profile: "default", Versions: []string{"< 12"},
		Operation: matrix.CopyIn, Outcome: matrix.Broken, Reason: "x",
	}
	for name, c := range map[string]struct {
		pairings []Pairing
		known    int
		unknown  int
		stale    bool
	}{
		"a known failure":        {[]Pairing{pair("qemu-img", "1:10.0-1", "default", matrix.Broken)}, 1, 0, false},
		"another client":         {[]Pairing{pair("nbdcopy", "1.22-1", "default", matrix.Broken)}, 0, 1, false},
		"another profile":        {[]Pairing{pair("qemu-img", "1:10.0-1", "no-extended-headers", matrix.Broken)}, 0, 1, false},
		"another version":        {[]Pairing{pair("qemu-img", "1:12.0-1", "default", matrix.Broken)}, 0, 1, false},
		"another outcome":        {[]Pairing{pair("qemu-img", "1:10.0-1", "default", matrix.Corrupt)}, 0, 1, true},
		"a success":              {[]Pairing{pair("qemu-img", "1:10.0-1", "default", matrix.Works)}, 0, 0, true},
		"a success of a version": {[]Pairing{pair("qemu-img", "1:10.0-1", "default", matrix.Broken), pair("qemu-img", "1:9.0-1", "default", matrix.Works)}, 1, 0, false},
		"a success of others":    {[]Pairing{pair("nbdcopy", "1.22-1", "default", matrix.Works), pair("qemu-img", "1:12-1", "default", matrix.Works)}, 0, 0, false},
	} {
		list, err := failures(c.pairings, []Known{entry})
		n := 0
		for _, f := range list {
			if f.Known != nil {
				n++
			}
		}
		if n != c.known || len(list)-n != c.unknown || (err != nil) != c.stale {
			t.Errorf("%s: %d known, %d unknown, %v", name, n, len(list)-n, err)
		}
	}
}
