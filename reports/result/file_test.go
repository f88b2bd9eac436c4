package result

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// example is a result with every field set.
func example() Result {
	r := Result{
		SchemaVersion: SchemaVersion,
		Suite:         Suite{Name: "nbdconform", Version: "v0.1.0", Filter: "level: MUST", Seed: math.MinInt64},
		Document:      Document{Name: "doc/proto.md", Revision: "3b9e4a1"},
		Target: Target{
			Name: "qemu-nbd", Provider: "container", Release: "bookworm", Version: "7.2.22", Image: "sha256:0123",
			Command: []string{"qemu-nbd", "-f", "raw", "/disk"}, Profile: "default", Export: "disk", Size: math.MaxUint64,
			Advertised: []string{"flush", "fua"}, Declared: []string{"flush"},
		},
		Started: time.Date(2025, 1, 2, 3, 4, 5, 678, time.UTC),
		Seconds: 12.3,
		Specs: []Spec{
			{ID: "cmd.read.answers", Name: "NBD_CMD_READ answers", Group: "commands", Clauses: []string{"cmd.read"}, Level: "MUST", Verdict: Pass, Seconds: 0.01},
			{
				ID: "cmd.trim.beyond", Name: "NBD_CMD_TRIM beyond the end is refused", Group: "commands", Clauses: []string{"cmd.trim.bounds"},
				Level: "MUST", Verdict: Crash, Signature: "x", Message: "want EINVAL <or> ENOSPC & no more\n0000  67 44", Seconds: 1,
				Requires: "refuse it", Section: "Request types", Location: "servers/trim.go:12", Reproduce: "nbdconform run cmd.trim.beyond",
				Transcript: "C: TRIM\nS: closed", Exit: "signal: aborted", Stderr: "assertion \x1b[31m\u2028 日本", BlockedBy: "x",
			},
			{
				ID: "opt.go", Name: "NBD_OPT_GO answers", Group: "handshake", Clauses: []string{"opt.go"}, Level: "SHOULD",
				Verdict: Warning, Signature: "y", Message: "x",
				Failures: []Failure{{
					Clause: "opt.go", Code: "expectation", About: &Statement{"case.for-name", ValuesOf("a")},
					Expected: ValuesOf(7, true, []byte{1}), Received: []Value{Lines(Text("b")), Term("end.hung-up")},
					Exchange: &Value{Type: TextValue, Text: "x"}, Where: &Where{Connection: -1, Message: 3, Offset: 12, Export: "e", Operation: "NBD_OPT_GO"},
				}},
				Transcript: "C: GO\n!! bad\n!! worse\n", Marks: []Mark{{Line: 2, Clause: "a.b"}, {Line: 3}},
			},
			{ID: "opt.info", Name: "NBD_OPT_INFO answers", Group: "handshake", Clauses: []string{}, Level: "MAY", Verdict: Unsupported, Message: "not advertised"},
		},
		Observations: []Observation{{Spec: "cmd.read.answers", Topic: "order of replies", Value: "as asked"}},
		Reproduce:    "nbdconform run --target qemu-nbd",
	}
	r.Count()
	return r
}

func written(t *testing.T, r Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteThenRead(t *testing.T) {
	want := example()
	got, err := Read(strings.NewReader(written(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Read after Write (-want +got):\n%s", diff)
	}
}

func TestWriteCompletes(t *testing.T) {
	r := Result{
		Suite:  Suite{Name: "nbdconform", Version: "v0"},
		Target: Target{Name: "reference", Provider: "in-process"},
		Specs: []Spec{{
			ID: "a", Name: "a", Level: "MUST", Verdict: Skipped,
			Transcript: strings.Repeat("\xff日", MaxText),
		}},
	}
	once := written(t, r)
	got, err := Read(strings.NewReader(once))
	if err != nil {
		t.Fatal(err)
	}
	if r.SchemaVersion != "" || r.Summary != nil || r.Specs[0].Clauses != nil || r.Specs[0].Message != "" {
		t.Error("Write changed the caller's value")
	}
	s := got.Specs[0]
	if s.Message != "no reason was recorded" || s.Clauses == nil || got.Summary[Skipped] != 1 || got.Observations == nil {
		t.Errorf("Write left gaps: %+v", got)
	}
	if len(s.Transcript) > MaxText || !strings.Contains(s.Transcript, "bytes left out]") {
		t.Errorf("transcript of %d bytes was not shortened to %d", len(s.Transcript), MaxText)
	}
	if twice := written(t, got); twice != once {
		t.Error("writing what was read gives another document")
	}
}

func TestWriteRefuses(t *testing.T) {
	tests := []struct {
		name   string
		mutate func(*Result)
		want   string
	}{
		{"an unknown verdict", func(r *Result) { r.Specs[0].Verdict = "maybe" }, `specs[0] ("cmd.read.answers").verdict`},
		{"the same id twice", func(r *Result) { r.Specs[2].ID = r.Specs[0].ID }, "specs[2].id"},
		{"a fail without a clause", func(r *Result) { r.Specs[3].Verdict = Fail }, `specs[3] ("opt.info").clauses`},
		{"no number", func(r *Result) { r.Seconds = math.NaN() }, "encoding result"},
		{"another schema version", func(r *Result) { r.SchemaVersion = "3.0" }, "schemaVersion"},
		{"too much", func(r *Result) { r.Reproduce = strings.Repeat("x", MaxBytes) }, "larger than 64 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := example()
			tt.mutate(&r)
			var b bytes.Buffer
			err := Write(&b, r)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Write = %v, want an error with %q", err, tt.want)
			}
			if b.Len() != 0 {
				t.Errorf("Write wrote %d bytes of what it refused", b.Len())
			}
		})
	}
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, errors.New("no disk") }

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestReadRefuses(t *testing.T) {
	tests := []struct {
		name string
		r    io.Reader
		want string
	}{
		{"nothing", strings.NewReader(""), "not a JSON document"},
		{"half a document", strings.NewReader(`{"schemaVersion": "1.0",` + "\n"), "EOF"},
		{"a syntax error", strings.NewReader("{\n\n  nonsense"), "line 3"},
		{"a list", strings.NewReader(`[]`), "want an object"},
		{"some other JSON", strings.NewReader(`{"a": 1}`), "no schemaVersion"},
		{"a later version", strings.NewReader(`{"schemaVersion": "2.1"}`), `"2.1" is unknown here, this program reads "2.0" and "1.0"`},
		{"two documents", strings.NewReader(written(t, example()) + "{}"), "not a JSON document"},
		{"a broken disk", badReader{}, "no disk"},
		{"more than the limit", endless{}, "larger than 64 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(tt.r)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "reading result: ") {
				t.Errorf("Read = %v, want an error with %q", err, tt.want)
			}
		})
	}
}
