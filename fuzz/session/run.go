package session

import (
	"context"
	"time"

	"nbdconform/conformance/judge"
	"nbdconform/fuzz/internal/model"
	"nbdconform/fuzz/internal/script"
	"nbdconform/reference/wire"
)

// run is a script while it runs.
type run struct {
	ctx    context.Context
	target *Target
	model  *model.Model
	links  [script.Connections]*link
	result Result
	seen   map[Point]struct{}
	doubts []doubt
	op     int
}

// Run runs a script on a target. The target is not restarted: the caller gives
// one that is as the target's Model and Contents say. ctx ends the run early,
// between operations; what was found by then is returned.
func Run(ctx context.Context, s script.Script, t *Target) Result {
	r := &run{ctx: ctx, target: t, model: model.New(t.Model), seen: make(map[Point]struct{})}
	if t.Contents != nil {
		t.Contents(r.model)
	}
	for i, o := range s.Ops {
		if ctx.Err() != nil {
			break
		}
		r.op = i
		if o.Conn < 0 || o.Conn >= len(r.links) {
			continue
		}
		if l := r.open(o); l != nil {
			l.do(o)
		}
	}
	r.op = len(s.Ops)
	for _, l := range r.links {
		if l != nil {
			l.leave()
		}
	}
	if !t.NoProbe && !r.news() && ctx.Err() == nil {
		r.probe()
		r.reveal()
	}
	r.resolve()
	r.health()
	return r.result
}

// open returns the link that an operation is for; a new one if it is the
// first, or if the last one of the number is over and this one starts afresh.
func (r *run) open(o script.Op) *link {
	l := r.links[o.Conn]
	if l == nil || l.over && o.Kind == script.Flags {
		l = r.dial(o.Conn)
		r.links[o.Conn] = l
	}
	return l
}

// dial opens a connection, or returns one that is over.
func (r *run) dial(id int) *link {
	l := &link{run: r, id: id, model: r.model.Connect(), judge: judge.New(judge.Options{Messages: 128})}
	ctx, cancel := context.WithTimeout(r.ctx, r.target.patience())
	defer cancel()
	nc, err := r.target.Dial(ctx)
	if err != nil {
		l.over, l.nc = true, nil
		r.note(id, Refused)
		if r.ctx.Err() == nil {
			r.find(nil, Finding{Kind: Unserved, Clause: "baseline.server.fixed-newstyle", Subject: "dial", Detail: err.Error(), Conn: id})
		}
		return l
	}
	r.note(id, Dialled)
	l.plain = pump(nc)
	l.nc = judge.Conn(l.plain, l.judge)
	return l
}

// news reports whether there is a finding that was not seen before.
func (r *run) news() bool {
	for _, f := range r.result.Findings {
		if !r.target.hasSeen(f) {
			return true
		}
	}
	return false
}

func (r *run) note(id int, what EventKind) {
	if r.target.Record {
		r.result.Events = append(r.result.Events, Event{Conn: id, What: what})
	}
}

// health makes a finding of a server that is no more.
func (r *run) health() {
	if r.target.Alive == nil {
		return
	}
	if err := r.target.Alive(); err != nil {
		r.find(nil, Finding{Kind: Crash, Clause: "trans.end.unjustified.server", Subject: "server", Detail: err.Error()})
	}
}

// leave ends a connection where the script has ended.
func (l *link) leave() {
	if l.over {
		return
	}
	l.await()
	switch {
	case l.over:
	case l.wild || l.phase < haggling:
		if h, ok := l.nc.(interface{ CloseWrite() error }); ok {
			_ = h.CloseWrite()
		}
		l.drain(min(l.target.patience(), 200*time.Millisecond))
	case l.phase == transmission:
		if !l.disc {
			l.do(script.Op{Kind: script.Request, Request: wire.Request{Type: wire.CmdDisc}})
		}
		l.await()
	default:
		l.do(script.Op{Kind: script.Option, Option: wire.OptAbort})
		l.await()
	}
	l.finish()
}
