package pairing

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/target"
	"nbdconform/containers/internal/program"
	"nbdconform/reports/matrix"
)

// A Pair is one client with one server, which no other client writes to
// meanwhile.
type Pair struct {
	Client *Client
	Server *Server
	// Alone is what was heard of the client's activities with the reference
	// server. What is not in there can't be missed.
	Alone map[matrix.Activity]Heard
}

// A Result is one activity, and what was heard of it.
type Result struct {
	matrix.Pairing
	Heard Heard
}

// patience is how long a program may take.
const patience = 30 * time.Second

// ways are the tasks that an activity can be had by. The first that a program
// can do is taken.
var ways = map[matrix.Activity][]caller.Activity{
	matrix.Connect: {caller.Info, caller.Visit, caller.List, caller.CopyOut},
	matrix.List:    {caller.List},
	matrix.Map:     {caller.Map},
	matrix.CopyOut: {caller.CopyOut},
	matrix.CopyIn:  {caller.CopyIn, caller.Stamp},
	matrix.Compare: {caller.Compare, caller.Verify},
	matrix.Discard: {caller.Trim},
	matrix.Zero:    {caller.Zero},
	matrix.TLS:     {caller.Info, caller.Visit, caller.List, caller.CopyOut},
	matrix.TLSKey:  {caller.Info, caller.Visit, caller.List, caller.CopyOut},
}

// secure are the activities that are about TLS, and what a client is told.
var secure = map[matrix.Activity]caller.TLS{matrix.TLS: caller.TLSRequire, matrix.TLSKey: caller.TLSKey}

// Do has the client do every activity. An error is ours.
func (p *Pair) Do(ctx context.Context) ([]Result, error) {
	var list []Result
	for _, a := range matrix.Activities {
		r, err := p.one(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("%s with %s, %s: %w", p.Client.Peer, p.Server.Peer, a, err)
		}
		list = append(list, r)
	}
	return list, ctx.Err()
}

// A deed is one task under way.
type deed struct {
	*Pair
	activity matrix.Activity
	task     caller.Task
	server   target.Target
	file     []byte // what CopyIn and Compare are given
	heard    Heard
	report   caller.Report
}

func (p *Pair) one(ctx context.Context, a matrix.Activity) (Result, error) {
	start := time.Now()
	r := Result{Pairing: matrix.Pairing{Client: p.Client.Peer, Server: p.Server.Peer, Activity: a}}
	door, tls := p.Server.doors[a], secure[a]
	d := &deed{Pair: p, activity: a, server: p.Server.plain}
	if tls != caller.NoTLS {
		d.server = door.server
	}
	task, able := p.way(a, tls)
	switch {
	case tls != caller.NoTLS && p.Client.Peer.Name == "fio":
		r.Outcome, r.Detail = matrix.Unable, "it lets libnbd read no certificates and no keys"
		return r, nil
	case !able && tls == caller.TLSKey && p.Client.Peer.Name == Reference:
		r.Outcome, r.Detail = matrix.Unable, "it was built without pre-shared keys"
		return r, nil
	case !able:
		r.Outcome, r.Detail = matrix.Unable, fmt.Sprintf("%s is not known to do this", p.Client.Peer.Name)
		return r, nil
	case a == matrix.TLS && mute(p.Client.Peer):
		r.Outcome, r.Detail = matrix.Unable, "its URIs have no parameter for certificates yet"
		return r, nil
	case d.server == nil:
		r.Outcome, r.Detail = matrix.Unable, "the server could not be set up for it: "+door.why
		return r, nil
	case a == matrix.Discard && !p.Server.has[featureTrim]:
		r.Outcome, r.Detail = matrix.Unable, "the server does not have NBD_CMD_TRIM"
		return r, nil
	}
	d.task = caller.Task{Activity: task, Offset: rangeOffset, Length: rangeLength}
	d.task.Server = caller.Address{Export: d.server.Profile().Export, TLS: tls}
	if err := d.prepare(ctx); err != nil {
		return r, err
	}
	if err := d.run(ctx); err != nil {
		return r, err
	}
	r.Heard, r.Command = d.heard, strings.Join(d.report.Argv, " ")
	if err := d.weigh(ctx, &r.Pairing); err != nil {
		return r, err
	}
	r.Seconds = time.Since(start).Seconds()
	return r, nil
}

// mute reports whether a program can't be told where certificates are. The URIs
// of libnbd 1.6 don't have tls-certificates, those of 1.14 do.
func mute(p matrix.Peer) bool {
	return (p.Name == "nbdinfo" || p.Name == "nbdcopy") && !program.Version(p.Version).AtLeast("1.14")
}

func (p *Pair) way(a matrix.Activity, tls caller.TLS) (caller.Activity, bool) {
	for _, w := range ways[a] {
		if p.Client.Can(w, tls) {
			return w, true
		}
	}
	return "", false
}

// path is a file that belongs to this pair.
func (p *Pair) path(name string) string {
	return filepath.Join(p.Client.Dir(), strings.ReplaceAll(p.Server.Peer.String(), " ", "-")+"-"+name)
}

// prepare writes the file that the task is about, and gives the server
// something to lose.
func (d *deed) prepare(ctx context.Context) error {
	if d.task.Server.TLS != caller.NoTLS {
		dir, err := d.Client.credentials()
		if err != nil {
			return err
		}
		d.task.Server.PKI, d.task.Server.Keys = dir, dir
	}
	switch d.task.Activity {
	case caller.CopyOut:
		d.task.File = d.path("out")
		return nil
	case caller.CopyIn:
		d.file = d.Server.next()
	case caller.Compare:
		d.file = d.Server.holds
	case caller.Zero, caller.Trim:
		return d.Server.fill(ctx)
	case caller.Verify:
		return d.Server.put(ctx, 0, stamped())
	default:
		return nil
	}
	d.task.File = d.path("in")
	return os.WriteFile(d.task.File, d.file, 0o644) // #nosec: a program in a container may be another user
}

// run has the client do the task through a tap.
func (d *deed) run(ctx context.Context) error {
	d.task.Server.Socket = d.path("s")
	t, err := listen(ctx, d.task.Server.Socket, d.server.Profile().Dialect, d.server.Dial)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d.report, err = d.Client.Do(bounded, d.task)
	d.heard = t.close()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// weigh says how it went.
func (d *deed) weigh(ctx context.Context, r *matrix.Pairing) error {
	untrue, err := d.untrue(ctx)
	if err != nil {
		return err
	}
	lost := lost(d.Alone[d.activity], d.Server.has, d.heard)
	switch {
	case !d.report.Succeeded() && d.activity == matrix.Map && !d.Server.has[featureStatus]:
		r.Outcome, r.Detail = matrix.Unable, "the server does not have base:allocation; "+ending(d.report)
	case !d.report.Succeeded():
		r.Outcome, r.Detail = matrix.Broken, ending(d.report)
		if cannot(d.report) {
			r.Outcome = matrix.Unable
		}
	case untrue != "":
		r.Outcome, r.Detail = matrix.Corrupt, untrue
	case d.heard.Connections == 0:
		r.Outcome, r.Detail = matrix.Broken, "it claims success, and nothing was heard of it at the server"
	case d.activity == matrix.Discard && !d.heard.used()[featureTrim]:
		r.Outcome, r.Detail = matrix.Degraded, "it claims success, and sent no NBD_CMD_TRIM that succeeded"
		r.Lost = []string{fmt.Sprintf("%s: %s instead", featureTrim, instead(featureTrim, d.heard))}
	case lost != nil && d.task.Server.TLS == caller.NoTLS:
		r.Outcome, r.Lost, r.Detail = matrix.Degraded, lost, strings.Join(lost, "; ")
	default:
		r.Outcome = matrix.Works
	}
	if r.Outcome != matrix.Works && r.Outcome != matrix.Degraded {
		r.Output = tail(d.report.Stdout + d.report.Stderr)
	}
	return nil
}

// refusals are how programs say that they have no such thing at all, whatever
// the server.
var refusals = []string{
	"TLS only supported over IP sockets", // qemu before 7.1
	"TLS is not supported",
	"compiled without TLS",
}

func cannot(r caller.Report) bool {
	for _, text := range refusals {
		if strings.Contains(r.Stderr, text) || strings.Contains(r.Stdout, text) {
			return true
		}
	}
	return false
}

// ending says how a program that failed ended.
func ending(r caller.Report) string {
	if r.Hung {
		return fmt.Sprintf("it did not end within %v", patience)
	}
	end := cmp.Or(r.Killed, r.Exit)
	for _, text := range []string{r.Stderr, r.Stdout} {
		if lines := strings.Split(strings.TrimSpace(text), "\n"); lines[0] != "" {
			return end + ": " + strings.Join(lines[max(0, len(lines)-2):], "; ")
		}
	}
	return end
}

// tail is the end of what a program said.
func tail(s string) string {
	const most = 2 << 10
	s = strings.ToValidUTF8(s, "?")
	return s[max(0, len(s)-most):]
}
