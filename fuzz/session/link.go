package session

import (
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/fuzz/internal/model"
	"nbdconform/reference/wire"
	"nbdconform/reports/render/words"
)

type phase uint8

const (
	greeting     phase = iota // the server's greeting is due
	flags                     // the client's flags are due
	haggling                  // options
	transmission              // requests
)

// A link is one connection of a run.
type link struct {
	*run
	id    int
	nc    net.Conn // what is sent and read; the judge is in between
	plain net.Conn // what is underneath
	judge *judge.Judge
	model *model.Conn

	phase    phase
	client   wire.ClientFlags
	offered  wire.HandshakeFlags
	in       []byte // received and not taken apart yet, from at on
	at       int
	held     []byte // glued to what comes next
	options  []*option
	requests []*request
	last     wire.Command
	lastOpt  wire.Option
	disc     bool // NBD_CMD_DISC was sent: the end of the connection is due
	upgrade  bool // TLS is to start
	clear    bool // something came in the clear behind NBD_OPT_STARTTLS
	wild     bool // what the server makes of it is unknown: nothing is due any more
	over     bool // the connection is closed
	judged   int  // violations that were looked at
	cookies  uint64
	strange  []byte // the end of what was sent since the link is wild
}

// An option without its final reply.
type option struct {
	wire.OptionRequest
	replies []wire.OptionReply
	op      int // of the script
}

// A request without its whole answer.
type request struct {
	wire.Request
	model  *model.Request
	answer model.Answer
	sent   time.Time
	many   bool // others were in flight
	op     int  // of the script
}

func (l *link) mode() (m Mode) {
	if l.model.Structured {
		m |= ModeStructured
	}
	if l.model.Extended {
		m |= ModeExtended
	}
	if l.model.TLS {
		m |= ModeTLS
	}
	return m
}

// due reports whether the server owes something.
func (l *link) due() bool {
	return !l.over && !l.wild && (l.phase == greeting || l.disc || len(l.options) > 0 || len(l.requests) > 0)
}

// await reads until nothing is due.
func (l *link) await() {
	l.flush()
	for l.due() {
		if l.parse() {
			continue
		}
		if err := l.read(l.wait()); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && l.aside() {
				continue
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				l.hang()
			}
			return
		}
	}
	for !l.over && !l.wild && l.at < len(l.in) && l.parse() { // what came on top
	}
	l.judgeSo()
}

// aside closes the other connections, and reports whether there were any. A
// server may serve one client at a time: what it waits for may be us.
func (l *link) aside() (others bool) {
	for _, o := range l.links {
		if o != nil && o != l && !o.over {
			o.finish()
			others = true
		}
	}
	return others
}

// read reads more, within a time. Where the connection ends it says so to all.
func (l *link) read(within time.Duration) error {
	if l.at > 0 {
		l.in = l.in[:copy(l.in, l.in[l.at:])]
		l.at = 0
	}
	if cap(l.in)-len(l.in) < 4096 {
		l.in = append(make([]byte, 0, 2*cap(l.in)+16384), l.in...)
	}
	_ = l.nc.SetReadDeadline(time.Now().Add(within))
	n, err := l.nc.Read(l.in[len(l.in):cap(l.in)])
	if n > 0 {
		l.record(Received, l.in[len(l.in):len(l.in)+n])
		l.in = l.in[:len(l.in)+n]
		return nil
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	l.ended()
	return err
}

// ended notes that the server hung up.
func (l *link) ended() {
	l.record(Ended, nil)
	l.unanswered(HangsUp)
	switch {
	case l.wild || l.disc:
	case len(l.options) == 1 && l.options[0].Option == wire.OptExportName && l.client&^wire.ClientFlags(l.offered) == 0:
		l.wrong(l.model.Refused(string(l.options[0].Data)), wire.OptExportName.String())
	case l.phase == transmission && len(l.requests) == 1:
		l.wrong(l.requests[0].model.Ended(), l.requests[0].Type.String())
	}
	if l.phase == transmission {
		l.reach(l, AtEnd, 1, uint32(l.last), 0)
	} else {
		l.reach(l, AtEnd, 0, uint32(l.lastOpt), 0)
	}
	l.finish()
}

// finish closes the connection, if it is not closed yet.
func (l *link) finish() {
	if l.over {
		return
	}
	l.over = true
	l.record(Closed, nil)
	_ = l.nc.Close()
	l.model.End()
	l.judgeSo()
}

// lose goes on without knowing what the server says, or understands.
func (l *link) lose() {
	l.wild = true
	l.model.Unsure()
	l.judgeSo()
}

// judgeSo makes findings of what the judge holds against the server.
func (l *link) judgeSo() {
	list := l.judge.Violations()
	if len(list) <= l.judged {
		return
	}
	t := l.judge.Transcript()
	for _, v := range list[l.judged:] {
		if v.Side != clause.Server {
			continue
		}
		f := Finding{Kind: Violation, Clause: v.Clause, Subject: about(t, v.Message), Detail: words.Failure(v.Failure())}
		if q, ok := l.starved(v); ok {
			l.doubt(f, q, wire.ENOMEM)
		} else {
			l.find(l, f)
		}
	}
	l.judged = len(list)
}

// hang makes a finding of what does not come, unless the judge knows why.
func (l *link) hang() {
	l.judgeSo()
	l.record(Silent, nil)
	if _, lost := l.judge.Lost(); !lost && !l.clear {
		id, subject := l.awaited()
		l.find(l, Finding{
			Kind: Hang, Clause: id, Subject: subject,
			Detail: "nothing comes for " + l.target.patience().String() + ", and the connection stays open",
		})
	}
	l.unanswered(NoAnswer)
	l.wild = true
	l.finish()
}

// settledPatience is how long something may take that is known not to come.
const settledPatience = 50 * time.Millisecond

// wait is how long what is due may take.
func (l *link) wait() time.Duration {
	if l.target.Seen != nil {
		id, subject := l.awaited()
		if l.target.hasSeen(Finding{Kind: Hang, Clause: id, Subject: subject}) {
			return min(l.target.patience(), settledPatience)
		}
	}
	return l.target.patience()
}

// awaited says what is due, and by which clause.
func (l *link) awaited() (clause.ID, string) {
	switch {
	case l.phase == greeting:
		return "baseline.server.fixed-newstyle", "greeting"
	case len(l.options) > 0 && l.options[0].Option == wire.OptExportName:
		return "interop.server.export-name", wire.OptExportName.String()
	case len(l.options) > 0:
		return "layout.option-reply.answered", l.options[0].Option.String()
	case len(l.requests) == 0:
		return "cmd.disc.close", wire.CmdDisc.String()
	}
	q := l.requests[0]
	switch {
	case q.Type == wire.CmdRead:
		return "baseline.server.read", q.Type.String()
	case q.Type == wire.CmdWrite:
		return "baseline.server.write", q.Type.String()
	case q.Type == wire.CmdFlush:
		return "interop.server.flush", q.Type.String()
	case l.model.Extended:
		return "trans.extended.reply", q.Type.String()
	}
	return "trans.simple.required", q.Type.String()
}

// drain reads to the end of the connection, without looking at what comes,
// and gives up after a while: that the server stays is no finding.
func (l *link) drain(within time.Duration) {
	for !l.over {
		if err := l.read(within); err != nil {
			break
		}
		l.in, l.at = l.in[:0], 0
	}
	l.finish()
}

func (l *link) record(what EventKind, data []byte) {
	if l.target.Record {
		l.result.Events = append(l.result.Events, Event{Conn: l.id, What: what, Data: slices.Clone(data)})
	}
}

// write sends bytes in segments of split, behind what was held, or holds them.
func (l *link) write(b []byte, split int, glue bool) {
	if l.over || len(b) == 0 {
		return
	}
	if len(l.held) > 0 {
		b = append(l.held, b...)
		l.held = nil
	}
	if glue {
		l.held = append([]byte(nil), b...)
		return
	}
	if split <= 0 || len(b)/split > 4096 {
		split = len(b)
	}
	for len(b) > 0 && !l.over {
		n := min(split, len(b))
		_ = l.nc.SetWriteDeadline(time.Now().Add(l.target.patience()))
		l.record(Sent, b[:n])
		if _, err := l.nc.Write(b[:n]); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				l.hang()
			}
			return // what the server said before it left is still to be read
		}
		b = b[n:]
	}
}
