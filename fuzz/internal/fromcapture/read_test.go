package fromcapture

import (
	"bytes"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	"nbdconform/reports/capture"
	"nbdconform/reports/recording"
)

// said runs a script on a fresh reference server, and returns what happened.
func said(t testing.TB, profile string, s script.Script) []session.Event {
	t.Helper()
	r, err := session.Reference(profile, "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Record, r.NoProbe, r.Patience = true, true, 3*time.Second
	result := session.Run(t.Context(), s, &r.Target)
	for _, f := range result.Findings {
		t.Errorf("%v\n%v", f, s)
	}
	return result.Events
}

// kinds are the events of a session as a recorder has them.
var kinds = map[session.EventKind]recording.Kind{
	session.Dialled: recording.Connects, session.Sent: recording.ClientSent, session.Received: recording.ServerSent,
	session.HalfDone: recording.ClientHalf, session.Closed: recording.ClientEnds, session.Ended: recording.ServerEnds,
	session.Secured: recording.TLS,
}

// captured is what happened as a capture, and what the clients said, one line
// for each connection.
func captured(t testing.TB, events []session.Event) ([]byte, string) {
	t.Helper()
	rec := &recording.Recording{Start: time.Unix(0, 0)}
	numbers, ended := map[int]int{}, map[int]bool{}
	var conns []string
	for i, e := range events {
		if e.What == session.Dialled {
			numbers[e.Conn] = len(conns)
			conns = append(conns, "")
		}
		n := numbers[e.Conn]
		if e.What == session.HalfDone {
			ended[n] = true
		}
		if e.What == session.Sent && ended[n] {
			continue // nobody gets it
		}
		if e.What == session.Sent {
			conns[n] += hex.EncodeToString(e.Data)
		}
		if k, ok := kinds[e.What]; ok {
			rec.Events = append(rec.Events, recording.Event{Conn: n, At: time.Duration(i) * time.Millisecond, Kind: k, Bytes: e.Data})
		}
	}
	var b bytes.Buffer
	if err := capture.Write(&b, rec, capture.About{}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(conns) // which is opened first depends on what was held back
	return b.Bytes(), strings.Join(conns, "\n")
}

// A session that was captured says the same bytes as a script made of the
// capture, whatever it is that is said.
func TestTheSameBytesAreSaidAgain(t *testing.T) {
	t.Parallel()
	raw, ops := 0, 0
	for _, profile := range []string{"", "tls-required", "bare"} {
		for seed := range uint64(40) {
			first := script.Generate(seed, script.Options{})
			events := said(t, profile, first)
			file, want := captured(t, events)
			if want == "" {
				continue
			}
			second, _, err := Read(bytes.NewReader(file))
			if err != nil {
				t.Fatalf("%s %d: %v\n%v", profile, seed, err, first)
			}
			for _, o := range second.Ops {
				if ops++; o.Kind == script.Raw {
					raw++
				}
			}
			read, err := script.Parse(second.String())
			if err != nil {
				t.Fatalf("%s %d: %v\n%v", profile, seed, err, second)
			}
			_, got := captured(t, said(t, profile, read))
			if got != want {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				t.Fatalf("%q, seed %d: said was, from digit %d on, %.100q, and then %.100q\nby\n%.4000v\nof\n%.4000v", profile, seed, at, want[at:], got[at:], second, first)
			}
		}
	}
	if raw*10 > ops {
		t.Errorf("%d of %d operations are raw bytes", raw, ops)
	}
}

// What real clients said becomes operations, every byte of it, shows nothing on
// the good server, and is said again but for the cookies.
func TestRealClients(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/recorded/*.pcapng")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d captures, error %v", len(files), err)
	}
	for _, file := range files {
		s, notes, err := Load(file)
		if err != nil || len(notes) > 0 || slices.ContainsFunc(s.Ops, func(o script.Op) bool { return o.Kind == script.Raw }) {
			t.Errorf("%s: error %v, notes %q\n%v", file, err, notes, s)
			continue
		}
		again, _ := captured(t, said(t, "", Adapt(s)))
		second, _, err := Read(bytes.NewReader(again))
		if err != nil || Adapt(second).String() != strings.ReplaceAll(Adapt(s).String(), " nowait", "") {
			t.Errorf("%s: error %v\n%v\nbecame\n%v", file, err, Adapt(s), Adapt(second))
		}
	}
}

func TestWhatIsNotSaidOfNBD(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"no capture": "read.go", "no file": "none.pcapng"} {
		if _, _, err := Load(file); err == nil {
			t.Errorf("%s: a script was made of it", name)
		}
	}
	var b bytes.Buffer
	if err := capture.Write(&b, &recording.Recording{}, capture.About{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Read(&b); err == nil {
		t.Error("a script was made of a capture of nothing")
	}
}
