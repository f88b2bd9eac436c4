package audit

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// An Auditor reports on conversations.
type Auditor struct {
	Ports       []uint16 // of servers, beside NBD's
	Transcripts bool     // print conversations with a violation whole
	Out         io.Writer

	mu       sync.Mutex
	judged   int
	must     int // broken
	should   int
	sequence int
}

// An audited conversation is a judge with what is not the judge's business. It
// is a [capture.Watcher].
type audited struct {
	*judge.Judge
	number  int
	name    string
	certain bool   // that it is NBD
	head    []byte // the first bytes of the server, until it is certain
	other   bool   // it is something else
	lost    string // why the rest was not judged
	early   []byte // what the client said before the server
}

const nbdMagic = "NBDMAGIC"

// conversation makes room for one more.
func (a *Auditor) conversation(name string) *audited {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sequence++
	return &audited{Judge: judge.New(judge.Options{}), number: a.sequence, name: name}
}

// FromClient implements [capture.Watcher].
func (w *audited) FromClient(b []byte) {
	switch {
	case w.other:
	case w.certain:
		w.Judge.FromClient(b)
	case len(w.early) < 64<<10:
		w.early = append(w.early, b...)
	}
}

// FromServer implements [capture.Watcher]. On a port that is not NBD's a
// conversation is one if the server opens it as one.
func (w *audited) FromServer(b []byte) {
	if !w.certain && !w.other {
		w.head = append(w.head, b...)
		if len(w.head) < len(nbdMagic) {
			return
		}
		w.certain, w.other = bytes.HasPrefix(w.head, []byte(nbdMagic)), !bytes.HasPrefix(w.head, []byte(nbdMagic))
		b = w.head
		if w.certain && len(w.early) > 0 {
			w.Judge.FromClient(w.early)
		}
		w.head, w.early = nil, nil
	}
	if w.certain {
		w.Judge.FromServer(b)
	}
}

// ClientClosed implements [capture.Watcher].
func (w *audited) ClientClosed(err error) {
	if w.certain {
		w.Judge.ClientClosed(err)
	}
}

// ServerClosed implements [capture.Watcher].
func (w *audited) ServerClosed(err error) {
	if w.certain {
		w.Judge.ServerClosed(err)
	}
}

// Lost implements [capture.Watcher].
func (w *audited) Lost(why string) { w.lost = why }

// report prints what a conversation broke.
func (a *Auditor) report(w *audited) {
	a.mu.Lock()
	defer a.mu.Unlock()
	said := w.Transcript()
	if !w.certain || len(said.Messages) == 0 {
		return
	}
	a.judged++
	list := w.Violations()
	note := ""
	if w.lost != "" {
		note = "; not judged to its end: " + w.lost
	} else if by, lost := w.Judge.Lost(); lost {
		note = "; not followed to its end"
		if by != "" {
			note += ", see " + string(by)
		}
	}
	for _, m := range said.Messages {
		if m.Kind == judge.KindTLS {
			note += "; what is within TLS was not judged"
			break
		}
	}
	fmt.Fprintf(a.Out, "connection %d, %s: %s%s\n", w.number, w.name, words.Count(len(list), "violation", "violations"), note)
	for _, side := range []clause.Side{clause.Client, clause.Server} {
		for _, v := range list {
			if v.Side != side {
				continue
			}
			level := clause.Must
			if c, ok := clause.Get(v.Clause); ok {
				level = c.Level
				if c.Disputed != "" {
					level = clause.Should
				}
			}
			if level == clause.Must {
				a.must++
			} else {
				a.should++
			}
			fmt.Fprintf(a.Out, "  %s breaks %s (%s) at byte %d\n%s\n", v.Side, v.Clause, level, v.Offset, console.Wrap(console.Visible(words.Failure(v.Failure())), "    "))
		}
	}
	if a.Transcripts && len(list) > 0 {
		fmt.Fprintln(a.Out, console.Indented(strings.TrimRight(said.String(), "\n")))
	}
}

// Conclude prints the closing line and returns the exit status.
func (a *Auditor) Conclude() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(a.Out, "%s judged, %d MUST and %d SHOULD broken\n", words.Count(a.judged, "connection", "connections"), a.must, a.should)
	switch {
	case a.judged == 0:
		return result.ExitNotTrusted
	case a.must > 0:
		return result.ExitFails
	}
	return result.ExitConforms
}
