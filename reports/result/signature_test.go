package result

import (
	"strings"
	"testing"
)

func failed(message string) Spec {
	return Spec{ID: "a.b", Clauses: []string{"opt.abort.ack"}, Verdict: Fail, Message: message}
}

func TestSignatureIsTheSameOverTwoRuns(t *testing.T) {
	for name, pair := range map[string][2]Spec{
		"how a connection ended": {
			failed("want the final reply NBD_REP_ACK; the server ended the connection\nto NBD_OPT_ABORT length 0 the server answered:\n  the server ended the connection (reading an option reply: read tcp 172.17.0.1:59890->172.17.0.2:10809: read: connection reset by peer)"),
			failed("want the final reply NBD_REP_ACK; the server ended the connection\nto NBD_OPT_ABORT length 0 the server answered:\n  the server ended the connection (reading an option reply: EOF)"),
		},
		"patience": {
			failed("no answer within 3s\nwant a final reply of whatever type, or the end of the session; no answer in time"),
			failed("no answer within 1.25s\nwant a final reply of whatever type, or the end of the session; no answer in time"),
		},
		"numbers, bytes and cookies": {
			failed("cmd.read.data: want 512 bytes at 0x1000; cookie 0x1001 gave 0203a501060704050a0b08090e0f0c0d...; see 172.17.0.2:10809"),
			failed("cmd.read.data: want 4096 bytes at 0x7f000; cookie 0xdeadbeef00 gave 67446698000000160000000000001001; see 10.0.0.1:80"),
		},
		"how often it was said": {
			failed("want the conversation to be in step; the server answered:\n  NBD_REP_SERVER to NBD_OPT_LIST length 8\n  NBD_REP_ACK to NBD_OPT_LIST length 0"),
			failed("want the conversation to be in step; the server answered:\n  NBD_REP_SERVER to NBD_OPT_LIST length 8\n  NBD_REP_SERVER to NBD_OPT_LIST length 12\n  NBD_REP_ACK to NBD_OPT_LIST length 0\nto something else:\n  NBD_REP_ERR_POLICY"),
		},
		"what the server says in its own words": {
			failed(`want an error; got NBD_REP_ERR_UNKNOWN "export 'a' is not here"`),
			failed(`want an error; got NBD_REP_ERR_UNKNOWN "no export a"`),
		},
		"which spec the judge saw it in, and the dispute": {
			failed("the ID 1 stands for two\nseen in 3 specs, here in a.b"),
			failed("the clause is disputed: either way\nthe ID 7 stands for two\nseen in c.d"),
		},
		"what the client saw of a crash": {
			{Clauses: []string{"x.y"}, Verdict: Crash, Exit: "signal: aborted", Message: "the server died: signal: aborted\nwant in step", Stderr: "noise\nprog: a.c:12: f: Assertion `x' failed.\n"},
			{Clauses: []string{"x.y"}, Verdict: Crash, Exit: "signal: aborted", Message: "the server died: signal: aborted\nwaiting for the greeting", Stderr: "prog: a.c:14: f: Assertion `x' failed.\nmore noise"},
		},
	} {
		if a, b := SignatureOf(pair[0]), SignatureOf(pair[1]); a != b || a == "" {
			t.Errorf("%s:\n%s\n%s", name, a, b)
		}
	}
}

func TestSignatureDiffersForDifferentFailures(t *testing.T) {
	crash := Spec{Clauses: []string{"x.y"}, Verdict: Crash, Exit: "signal: aborted", Stderr: "prog: a.c:12: f: Assertion `x' failed.\n"}
	other, killed := crash, crash
	other.Stderr, killed.Exit = "prog: a.c:12: g: Assertion `y' failed.\n", "signal: killed"
	elsewhere := failed("want NBD_REP_ACK; got NBD_REP_ERR_UNSUP")
	elsewhere.Clauses = []string{"opt.list.ack"}
	seen := map[string]Spec{}
	for _, s := range []Spec{
		failed("want NBD_REP_ACK; got NBD_REP_ERR_UNSUP"),
		failed("want NBD_REP_ACK; got NBD_REP_ERR_POLICY"),
		failed("want NBD_REP_ACK; the server ended the connection"),
		failed("want NBD_REP_ACK; no answer in time"),
		failed("want NBD_REP_SERVER; got NBD_REP_ERR_UNSUP"),
		failed("want it in step; the server answered:\n  NBD_REP_ACK"),
		failed("want it in step; the server answered:\n  NBD_REP_SERVER"),
		failed(`want the context "base:allocation"`), failed(`want the context "qemu:depth"`),
		elsewhere, crash, other, killed,
	} {
		sig := SignatureOf(s)
		if was, ok := seen[sig]; ok {
			t.Errorf("%q is the signature of\n%+v and\n%+v", sig, was, s)
		}
		seen[sig] = s
	}
}

func TestSignatureIsShortAndOneLine(t *testing.T) {
	for _, s := range []Spec{failed(strings.Repeat("é", 1000)), failed("\x00\xff\n\x1b[31m"), failed("")} {
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
