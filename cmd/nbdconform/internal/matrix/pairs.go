package matrix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/containers/pairing"
	report "nbdconform/reports/matrix"
)

// pairs has every client work with every server, several servers at once, and
// keeps the results of each pair in a file, so that what was interrupted goes on
// where it stopped.
type pairs struct {
	Store
	dir  string
	jobs int // servers at once
	show console.Overview

	servers []report.Peer // without the reference
	clients []report.Peer

	mu            sync.Mutex
	open          []*lazyClient                           // as clients
	withReference []map[report.Operation]pairing.Observed // as clients: what each uses with the reference server
	found         map[string][]pairing.Result             // by pair
	skipped       []report.Skip
}

// A lazyClient is opened when it is first needed.
type lazyClient struct {
	peer report.Peer
	once sync.Once
	c    *pairing.Client
	err  error
}

func (l *lazyClient) get(ctx context.Context) (*pairing.Client, error) {
	l.once.Do(func() { l.c, l.err = pairing.OpenClient(ctx, l.peer.Name, l.peer.Release) })
	return l.c, l.err
}

func (l *lazyClient) close() error {
	l.once.Do(func() { l.err = errors.New("it was not needed") })
	if l.c == nil {
		return nil
	}
	return l.c.Close()
}

// run returns the pairings, server by server, and what is missing. An
// error means that the run was interrupted.
func (m *pairs) run(ctx context.Context) (_ []report.Pairing, _ []report.Skip, err error) {
	m.show.Plan(len(m.clients) * (1 + len(m.servers)))
	defer m.show.Close()
	m.found = make(map[string][]pairing.Result)
	m.withReference = make([]map[report.Operation]pairing.Observed, len(m.clients))
	for _, c := range m.clients {
		m.open = append(m.open, &lazyClient{peer: c})
	}
	defer func() {
		for _, l := range m.open {
			err = errors.Join(err, l.close())
		}
	}()
	home := report.Peer{Name: pairing.Reference}
	all := numbers(len(m.clients))
	each(ctx, m.jobs, all, func(i int) { // each with a reference server of its own
		m.withReference[i] = map[report.Operation]pairing.Observed{}
		for _, r := range m.with(ctx, home, []int{i}) {
			if r.Outcome == report.Works { // what went wrong says nothing of what the client would use
				m.withReference[i][r.Operation] = r.Observed
			}
		}
	})
	each(ctx, m.jobs, numbers(len(m.servers)), func(i int) { m.with(ctx, m.servers[i], all) })
	if ctx.Err() != nil {
		return nil, nil, interrupted(m.dir)
	}
	var list []report.Pairing
	for _, s := range append([]report.Peer{home}, m.servers...) {
		for _, c := range m.clients {
			for _, r := range m.found[pairName(c, s)] {
				list = append(list, r.Pairing)
			}
		}
	}
	return list, m.skipped, nil
}

// numbers are those below n.
func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// with has clients work with one server, which is started when it is first
// needed.
func (m *pairs) with(ctx context.Context, peer report.Peer, clients []int) (all []pairing.Result) {
	var server *pairing.Server
	var broken error
	defer func() {
		if server != nil {
			_ = server.Close()
		}
	}()
	for _, i := range clients {
		c := m.clients[i]
		if ctx.Err() != nil {
			return all
		}
		if list, ok := m.earlier(c, peer); ok {
			m.show.Reused(pairTitle(c, peer))
			m.keep(c, peer, list)
			all = append(all, list...)
			continue
		}
		m.show.Start(pairTitle(c, peer))
		start := time.Now()
		if server == nil && broken == nil {
			server, broken = pairing.OpenServer(ctx, peer.Name, peer.Release)
		}
		list, err := m.pair(ctx, server, broken, i)
		if err == nil {
			err = m.file(c, peer, list)
		} else if server != nil { // what it holds is not known
			_ = server.Close()
			server = nil
		}
		if err != nil {
			m.show.Done(pairTitle(c, peer), "skipped: "+err.Error())
			m.miss(pairTitle(c, peer), err)
			continue
		}
		m.keep(c, peer, list)
		all = append(all, list...)
		m.show.Done(pairTitle(c, peer), fmt.Sprintf("%s, %.0f s", summary(list), time.Since(start).Seconds()))
	}
	return all
}

func (m *pairs) pair(ctx context.Context, server *pairing.Server, broken error, i int) ([]pairing.Result, error) {
	if broken != nil {
		return nil, broken
	}
	c, err := m.open[i].get(ctx)
	if err != nil {
		return nil, err
	}
	p := pairing.Pair{Client: c, Server: server, WithReference: m.withReference[i]}
	return p.Do(ctx)
}

func (m *pairs) keep(c, s report.Peer, list []pairing.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.found[pairName(c, s)] = list
}

func (m *pairs) miss(what string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skipped = append(m.skipped, report.Skip{What: what, Why: err.Error()})
}

// summary counts outcomes, the worst first.
func summary(list []pairing.Result) string {
	var parts []string
	for _, o := range slices.Backward(report.Outcomes) {
		n := 0
		for _, r := range list {
			if r.Outcome == o {
				n++
			}
		}
		if n > 0 && o != report.Unable {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(parts, ", ")
}

func pairTitle(c, s report.Peer) string { return c.String() + " with " + s.String() }

func pairName(c, s report.Peer) string {
	return strings.ReplaceAll(c.String()+"--"+s.String(), " ", "-")
}
