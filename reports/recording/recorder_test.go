package recording

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kinds are the kinds of the events, with how many bytes came with each.
func kinds(r *Recording) (list []string) {
	for _, e := range r.Events {
		list = append(list, strings.Repeat("·", len(e.Bytes))+string(e.Kind))
	}
	return list
}

func TestAConversationIsRecordedInOrder(t *testing.T) {
	near, far := net.Pipe()
	r := New(DefaultLimits)
	c := r.Conn(r.Connect(), near)
	go func() {
		_, _ = io.ReadFull(far, make([]byte, 2))
		_, _ = far.Write([]byte("abc"))
		_ = far.Close()
	}()
	if _, err := c.Write([]byte("xy")); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "abc" {
		t.Fatalf("%q, %v", got, err)
	}
	_, _ = c.Read(make([]byte, 1)) // the end comes but once
	_ = c.Close()
	_ = c.Close()
	rec := r.Recording()
	if diff := cmp.Diff([]string{"connects", "··client", "···server", "server-ends", "client-ends"}, kinds(rec)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r.Last() != 0 || rec.Size() != 5 || rec.Cut() {
		t.Errorf("last %d, size %d, cut %v", r.Last(), rec.Size(), rec.Cut())
	}
	for i := 1; i < len(rec.Events); i++ {
		if rec.Events[i].At < rec.Events[i-1].At {
			t.Error("time goes backwards")
		}
	}
}

func TestLimitsHoldAndAreSaid(t *testing.T) {
	r := New(Limits{Direction: 4, Total: 6})
	a, b := r.Connect(), r.Connect()
	r.said(a, 0, []byte("12345"))
	r.said(a, 0, []byte("6"))
	r.said(b, 1, []byte("123"))
	r.said(b, 1, []byte("4"))
	want := []string{"connects", "connects", "····client", "cut-client", "··server", "cut-server"}
	if diff := cmp.Diff(want, kinds(r.Recording())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	sums := []Sum{{Client: 4, CutClient: true}, {Server: 2, CutServer: true}}
	if diff := cmp.Diff(sums, r.Recording().Sums()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEventsAreBounded(t *testing.T) {
	r := New(DefaultLimits)
	n := r.Connect()
	for range maxEvents + 10 {
		r.said(n, 0, []byte("x"))
	}
	if rec := r.Recording(); len(rec.Events) > maxEvents || !rec.Cut() {
		t.Errorf("%d events, cut %v", len(rec.Events), rec.Cut())
	}
}

func TestHowTheClientCutsItIsKept(t *testing.T) {
	r := New(DefaultLimits)
	n := r.Connect()
	for range 3 {
		r.said(n, 0, []byte("x"))
	}
	for range 3 {
		r.said(n, 1, []byte("x"))
	}
	got := kinds(r.Recording())
	if len(got) < 5 || got[1] != "·client" || got[3] != "·client" {
		t.Errorf("%q", got)
	}
	var said []byte
	for _, e := range r.Recording().Events {
		said = append(said, e.Bytes...)
	}
	if !bytes.Equal(said, []byte("xxxxxx")) {
		t.Errorf("%q", said)
	}
}

type halfConn struct {
	net.Conn
	ended bool
}

func (h *halfConn) CloseWrite() error { h.ended = true; return nil }

func TestHalfAnEndIsOfferedWhereThereIsOne(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	r := New(DefaultLimits)
	if _, ok := r.Conn(r.Connect(), near).(half); ok {
		t.Error("a pipe can't end one direction alone")
	}
	h := &halfConn{Conn: near}
	if err := r.Conn(r.Connect(), h).(half).CloseWrite(); err != nil || !h.ended {
		t.Errorf("%v, %v", err, h.ended)
	}
	if last := r.Recording().Events; last[len(last)-1].Kind != ClientHalf {
		t.Errorf("%v", last)
	}
}

func TestNoRecorderRecordsNothing(t *testing.T) {
	var r *Recorder
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	r.Note(r.Connect(), Silence, "")
	if r.Conn(0, near) != near || r.Recording() != nil || r.Last() != -1 {
		t.Error("a nil recorder does something")
	}
}
