package pairing

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/reports/matrix"
)

// A Pair is one client with one server, which no other client writes to
// meanwhile.
type Pair struct {
	Client *Client
	Server *Server
	// WithReference is what was observed of the client's operations with the
	// reference server. A feature that is not in there is not missed.
	WithReference map[matrix.Operation]Observed
}

// A Result is one operation, and what was observed of it.
type Result struct {
	matrix.Pairing
	Observed Observed
}

// tasks are the tasks by which an operation can be done. The first that a
// program can do is taken.
var tasks = map[matrix.Operation][]subject.Operation{
	matrix.Connect: {subject.Info, subject.Visit, subject.List, subject.CopyOut},
	matrix.List:    {subject.List},
	matrix.Map:     {subject.Map},
	matrix.CopyOut: {subject.CopyOut},
	matrix.CopyIn:  {subject.CopyIn, subject.Stamp},
	matrix.Compare: {subject.Compare, subject.Verify},
	matrix.Discard: {subject.Trim},
	matrix.Zero:    {subject.Zero},
	matrix.TLS:     {subject.Info, subject.Visit, subject.List, subject.CopyOut},
	matrix.TLSKey:  {subject.Info, subject.Visit, subject.List, subject.CopyOut},
}

// kindOfTLS is what a client is told in the operations that are about TLS.
var kindOfTLS = map[matrix.Operation]subject.TLS{matrix.TLS: subject.TLSRequire, matrix.TLSKey: subject.TLSKey}

// Do has the client do every operation. An error is ours.
func (p *Pair) Do(ctx context.Context) ([]Result, error) {
	var list []Result
	for _, a := range matrix.Operations {
		r, err := p.attempt(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("%s with %s, %s: %w", p.Client.Peer, p.Server.Peer, a, err)
		}
		list = append(list, r)
	}
	return list, ctx.Err()
}

// attempt has the client do one operation, if client and server have what it takes.
func (p *Pair) attempt(ctx context.Context, a matrix.Operation) (Result, error) {
	start := time.Now()
	r := Result{Pairing: matrix.Pairing{Client: p.Client.Peer, Server: p.Server.Peer, Operation: a}}
	task, able := p.taskFor(a)
	if why := p.unable(a, able); why != "" {
		r.Outcome, r.Detail = matrix.Unable, why
		return r, nil
	}
	t := &attempt{Pair: p, operation: a, server: p.Server.plain}
	if kindOfTLS[a] != subject.NoTLS {
		t.server = p.Server.tls[a].server
	}
	t.task = subject.Task{Operation: task, Offset: rangeOffset, Length: rangeLength}
	t.task.Server = subject.Address{Export: t.server.Profile().Export, TLS: kindOfTLS[a]}
	if err := t.prepare(ctx); err != nil {
		return r, err
	}
	if err := t.run(ctx); err != nil {
		return r, err
	}
	r.Observed, r.Command = t.observed, strings.Join(t.report.Argv, " ")
	if err := t.outcome(ctx, &r.Pairing); err != nil {
		return r, err
	}
	r.Seconds = time.Since(start).Seconds()
	return r, nil
}

// unable says why the operation is not tried, or "". able says whether the
// program has a task for it.
func (p *Pair) unable(a matrix.Operation, able bool) string {
	tls, peer := kindOfTLS[a], p.Client.Peer
	if why := p.Client.program.WhyNoTLS(tls, peer.Version); why != "" {
		return why
	}
	switch {
	case !able:
		return fmt.Sprintf("%s is not known to do this", peer.Name)
	case tls != subject.NoTLS && p.Server.tls[a].server == nil:
		return "the server could not be set up for it: " + p.Server.tls[a].why
	case a == matrix.Discard && !p.Server.features[featureTrim]:
		return "the server does not have NBD_CMD_TRIM"
	}
	return ""
}

// taskFor is the task by which the client does the operation.
func (p *Pair) taskFor(a matrix.Operation) (subject.Operation, bool) {
	for _, t := range tasks[a] {
		if p.Client.Can(t, kindOfTLS[a]) {
			return t, true
		}
	}
	return "", false
}

// path is a file that belongs to this pair.
func (p *Pair) path(name string) string {
	return filepath.Join(p.Client.Dir(), strings.ReplaceAll(p.Server.Peer.String(), " ", "-")+"-"+name)
}
