package result

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// failed is a spec that failed in some ways.
func failed(list ...Failure) Spec {
	return Spec{ID: "a.b", Clauses: []string{"opt.abort.ack"}, Verdict: Fail, Failures: list}
}

func hung(list ...Failure) Spec {
	s := failed(list...)
	s.Verdict = Hang
	return s
}

// got is an expectation of a reply that was not met.
func got(want, got any) Failure {
	return Failure{Clause: "opt.abort.ack", Code: "expectation", Expected: ValuesOf(want), Received: ValuesOf(got)}
}

// A replyType is a number of the protocol with a name.
type replyType uint32

func (r replyType) String() string {
	switch r {
	case 1:
		return "NBD_REP_ACK"
	case 2:
		return "NBD_REP_SERVER"
	case 1 << 31:
		return "NBD_REP_ERR_POLICY"
	}
	return fmt.Sprintf("0x%x", uint32(r))
}

const (
	ack    replyType = 1
	server replyType = 2
	policy replyType = 1 << 31
)

func TestSignatureIsTheSameOverTwoRuns(t *testing.T) {
	ended := func(how string) Failure {
		f := got(Term("answer.final", ack), Term("end.with-error", Term("end.hung-up"), errors.New(how)))
		f.Exchange = &Value{Type: TextValue, Text: how}
		return f
	}
	said := func(n int, words string) Failure {
		list := make([]Value, 0, n+1)
		for range n {
			list = append(list, Term("said", server, Text(words)))
		}
		return got(Term("in-step"), Lines(append(list, Term("said", ack, Text("")))...))
	}
	seen := func(code string, values ...any) []Failure {
		return []Failure{{Clause: "opt.abort.ack", Code: "meta-id-of-two", Received: ValuesOf(uint32(len(code)))}, Because(code, values...)}
	}
	placed := func(conn, message int) Failure {
		f := got(ack, policy)
		f.Where = &Where{Connection: conn, Message: message, Offset: int64(message), Export: fmt.Sprint(conn)}
		return f
	}
	crash := func(exit, stderr string, f Failure) Spec {
		s := failed(f)
		s.Verdict, s.Exit, s.Stderr = Crash, exit, stderr
		return s
	}
	for name, pair := range map[string][2]Spec{
		"how a connection ended": {failed(ended("read: connection reset by peer")), failed(ended("EOF"))},
		"timeouts": {
			hung(Because("no-answer", 3*time.Second), got(Term("answer.any"), Term("end.silence"))),
			hung(Because("no-answer", 1250*time.Millisecond), got(Term("answer.any"), Term("end.silence"))),
		},
		"numbers, bytes and texts": {
			failed(got(512, []byte{2, 3, 0xa5})), failed(got(4096, []byte{0x67, 0x44})),
		},
		"a number without a name":               {failed(got(ack, replyType(77))), failed(got(ack, replyType(99)))},
		"how often it was sent":                 {failed(said(1, "")), failed(said(3, ""))},
		"what the server says in its own words": {failed(said(1, "export 'a' is not here")), failed(said(1, "no export a"))},
		"a name that the program made up":       {failed(got(ack, "#block123")), failed(got(ack, "#block77"))},
		"the place":                             {failed(placed(0, 3)), failed(placed(2, 17))},
		"which spec the judge saw it in, and the dispute": {
			failed(seen("seen-in-specs", 3, "a.b")...), failed(seen("disputed", Text("either way"))...),
		},
		"what the client received before a crash": {
			crash("signal: aborted", "noise\nprog: a.c:12: f: Assertion `x' failed.\n", got(ack, policy)),
			crash("signal: aborted", "prog: a.c:14: f: Assertion `x' failed.\nmore noise", got(ack, Term("end.hung-up"))),
		},
	} {
		if a, b := SignatureOf(pair[0]), SignatureOf(pair[1]); a != b || !strings.HasPrefix(a, "opt.abort.ack: ") || len(a) == len("opt.abort.ack: ") {
			t.Errorf("%s:\n%s\n%s", name, a, b)
		}
	}
}

func TestSignatureDiffersForDifferentFailures(t *testing.T) {
	crash := Spec{Clauses: []string{"x.y"}, Verdict: Crash, Exit: "signal: aborted", Stderr: "prog: a.c:12: f: Assertion `x' failed.\n"}
	other, killed := crash, crash
	other.Stderr, killed.Exit = "prog: a.c:12: g: Assertion `y' failed.\n", "signal: killed"
	elsewhere := failed(got(ack, policy))
	elsewhere.Clauses = []string{"opt.list.ack"}
	about := got(ack, policy)
	about.About = &Statement{Code: "case.for-name"}
	ofOther := got(ack, policy)
	ofOther.Clause = "trans.cookie.echo"
	blocked := failed(got(ack, policy))
	blocked.Verdict, blocked.BlockedBy = Blocked, "opt.go"
	seen := map[string]Spec{}
	for _, s := range []Spec{
		failed(got(ack, policy)),
		failed(got(ack, server)),
		failed(got(server, policy)),
		failed(got(ack, Term("end.hung-up"))),
		failed(got(ack, Term("end.silence"))),
		failed(got(Term("in-step"), Lines(ValueOf(ack)))),
		failed(got(Term("in-step"), Lines(ValueOf(server)))),
		failed(got(Term("context", "base:allocation"), ack)),
		failed(got(Term("context", "qemu:depth"), ack)),
		failed(got(true, ack)), failed(got(false, ack)),
		failed(Because("no-answer", time.Second)),
		hung(Because("no-answer", time.Second), got(ack, Term("end.silence"))),
		hung(Because("no-answer", time.Second), got(server, Term("end.silence"))),
		failed(about), failed(ofOther), blocked,
		elsewhere, crash, other, killed,
	} {
		sig := SignatureOf(s)
		if was, ok := seen[sig]; ok {
			t.Errorf("%q is the signature of\n%+v and\n%+v", sig, was, s)
		}
		seen[sig] = s
	}
}

// Nothing reads what a message says.
func TestSignatureIsNotOfTheMessage(t *testing.T) {
	s := failed(got(ack, policy))
	before := SignatureOf(s)
	if s.Message = "want something else"; SignatureOf(s) != before {
		t.Errorf("%q, was %q", SignatureOf(s), before)
	}
}

func TestSignatureIsShortAndOneLine(t *testing.T) {
	for _, s := range []Spec{
		failed(Failure{Code: "c", Received: []Value{{Type: NameValue, Name: strings.Repeat("é", 1000)}}}),
		failed(got("\x00\xff\n\x1b[31m", Text("\n"))),
		{Verdict: Crash, Clauses: []string{"a.b"}, Exit: "\x00\xff\n\x1b[31m"},
		failed(),
	} {
		if sig := SignatureOf(s); len(sig) > maxSignature || strings.ContainsAny(sig, "\n\x00\x1b") || sig == "" {
			t.Errorf("%q", sig)
		}
	}
	if sig := SignatureOf(Spec{Verdict: Pass, Message: "x"}); sig != "" {
		t.Errorf("a pass has the signature %q", sig)
	}
}

func TestWriteAddsSignatures(t *testing.T) {
	r := example()
	r.Specs[1].Signature = ""
	got, err := Read(strings.NewReader(written(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Specs[1]; s.Signature == "" || s.Signature != SignatureOf(s) {
		t.Errorf("signature %q", s.Signature)
	}
}
