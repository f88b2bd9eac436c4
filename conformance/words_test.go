package conformance_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/internal/encounter"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/session"
	"nbdconform/reports/baseline"
	"nbdconform/reports/diff"
	"nbdconform/reports/matrix"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A wrongdoer is a quirk of the reference with specs that find it.
type wrongdoer struct {
	quirk, filter string
	client        bool
}

// subject opens it, and discovers it.
func (w wrongdoer) subject(t *testing.T) runner.Subject {
	t.Helper()
	var subject runner.Subject
	var err error
	if w.client {
		subject, err = encounter.Discover(t.Context(), openClient(t, w.quirk), encounter.Options{})
	} else {
		subject, err = session.Discover(t.Context(), open(t, "default", w.quirk), session.Options{Destructive: true, Timeout: time.Second})
	}
	if err != nil {
		t.Fatal(err)
	}
	return subject
}

// result is what comes of it, as it is written down and read.
func (w wrongdoer) result(t *testing.T) result.Result {
	t.Helper()
	subject := w.subject(t)
	r := result.Result{
		Suite: result.Suite{Name: "nbdconform", Version: "test"}, Document: runner.Document, Target: subject.Describe(), Started: time.Now().UTC(),
	}
	round, err := runner.NewRound(runner.Config{Subject: subject, Filter: w.filter, Seed: 1, Done: func(s result.Spec, seen []result.Observation) {
		r.Specs = append(r.Specs, s)
		r.Observations = append(r.Observations, seen...)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := round.Run(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := result.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	if r, err = result.Read(&b); err != nil {
		t.Fatal(err)
	}
	return r
}

// scrambled has every text of the catalogue in other letters, with the verbs
// where they were.
func scrambled() words.Catalogue {
	c := words.Catalogue{}
	for code, text := range words.English() {
		var b strings.Builder
		for i := 0; i < len(text); i++ {
			ch := text[i]
			switch {
			case ch == '%': // a verb with its flags
				start := i
				for i++; i < len(text) && strings.IndexByte("[]0123456789#+", text[i]) >= 0; i++ {
				}
				b.WriteString(text[start : i+1])
			case ch >= 'a' && ch <= 'z':
				b.WriteByte('a' + (ch-'a'+13)%26)
			case ch >= 'A' && ch <= 'Z':
				b.WriteByte('A' + (ch-'A'+13)%26)
			case ch == ':' || ch == ';' || ch == ',':
				b.WriteByte('/')
			default:
				b.WriteByte(ch)
			}
		}
		c[code] = b.String()
	}
	return c
}

// kinds are the findings of a gate in a line.
func kinds(r result.Result, f *baseline.File) string {
	var list []string
	for _, g := range baseline.Check(r, []baseline.File{*f}, time.Now()).Findings {
		id := g.Entry
		switch {
		case g.Spec != nil:
			list = append(list, string(g.Kind)+" "+g.Spec.ID)
		default:
			list = append(list, string(g.Kind)+" "+id.Spec)
		}
	}
	return strings.Join(list, ", ")
}

// A fact is what of a spec must not depend on texts.
type fact struct {
	Verdict              result.Verdict
	Signature, BlockedBy string
	Codes                []string
	Marks                []result.Mark
	Marked               []string // how the marked lines open
}

func facts(r result.Result) map[string]fact {
	all := map[string]fact{}
	for _, s := range r.Specs {
		f := fact{Verdict: s.Verdict, Signature: s.Signature, BlockedBy: s.BlockedBy, Marks: s.Marks}
		for _, e := range s.Failures {
			f.Codes = append(f.Codes, e.Clause+" "+e.Code)
		}
		lines := strings.Split(s.Transcript, "\n")
		for _, m := range s.Marks {
			f.Marked = append(f.Marked, lines[m.Line-1][:3])
		}
		all[s.ID] = f
	}
	return all
}

func verdicts(m matrix.Matrix) map[string][]result.Verdict {
	all := map[string][]result.Verdict{}
	for _, row := range append(m.Specs(), m.Clauses()...) {
		for _, c := range row.Cells {
			all[row.ID] = append(all[row.ID], c.Verdict)
		}
	}
	return all
}

// TestNothingReadsTheTexts has everything said in other words, and sees that
// signatures, gates, differences, the matrix and the marked lines stay as they were.
func TestNothingReadsTheTexts(t *testing.T) {
	met := map[result.Verdict]bool{}
	marks := 0
	for _, w := range []wrongdoer{
		{"abort-unsupported", "opt.abort.ack", false},
		{"abort-unanswered", "opt.abort.ack", false},
		{"info-malformed-unanswered", "layout.option-reply.answered", false},
		{"inapplicable-flag-accepted", "err.inapplicable-flag", false},
		{"error-message-latin1", "string.utf8.server", false},
		{"reply-cookie-off-by-one", "trans.cookie.echo", false},
		{"client-discless", "client.disc.visit", true},
	} {
		t.Run(w.quirk, func(t *testing.T) {
			english := w.result(t)
			known := baseline.Empty("known.yaml")
			if _, err := baseline.Update(known, english, nil, time.Now()); err != nil {
				t.Fatal(err)
			}
			known, err := baseline.Parse("known.yaml", bytes.ReplaceAll(known.Bytes(), []byte("TODO"), []byte("Planted.")))
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(english, known); got != "" || len(known.Entries) == 0 {
				t.Fatalf("%d entries, and the gate finds %s", len(known.Entries), got)
			}

			restore := words.Use(scrambled())
			other := w.result(t)
			restore()

			messages := map[string]string{}
			for _, s := range english.Specs {
				messages[s.ID] = s.Message
				met[s.Verdict] = true
				marks += len(s.Marks)
			}
			for _, s := range other.Specs {
				if s.Verdict.Troubled() && s.Message == messages[s.ID] {
					t.Errorf("%s has the same message in other words: %s", s.ID, s.Message)
				}
			}
			if d := cmp.Diff(facts(english), facts(other)); d != "" {
				t.Errorf("(-English +other words):\n%s", d)
			}
			if got := kinds(other, known); got != "" {
				t.Errorf("the gate finds %s", got)
			}
			empty := baseline.Empty("empty.yaml")
			if was, is := kinds(english, empty), kinds(other, empty); was != is {
				t.Errorf("a gate without entries found %s, and now %s", was, is)
			}
			if lines := diff.Of(english, other).Lines; len(lines) > 0 {
				t.Errorf("they differ: %+v", lines)
			}
			was, is := matrix.Matrix{Runs: []result.Result{english}}, matrix.Matrix{Runs: []result.Result{other}}
			if d := cmp.Diff(was.Features(), is.Features()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(verdicts(was), verdicts(is)); d != "" {
				t.Error(d)
			}
		})
	}
	for _, v := range []result.Verdict{result.Fail, result.Warning, result.Hang, result.Blocked} {
		if !met[v] {
			t.Errorf("none of the quirks leads to %s", v)
		}
	}
	if marks == 0 {
		t.Error("no line of a transcript is marked")
	}
}
