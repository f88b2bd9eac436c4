package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"nbdconform/containers/clients"
	"nbdconform/containers/pairing"
	"nbdconform/reports/matrix"
)

// noClients stands for no client program at all.
const noClients = "none"

// clientNames lists the client programs, the reference client first.
func clientNames() []string {
	return append([]string{pairing.Reference}, clients.Names()...)
}

// someClients is some for client programs, of which there can be none.
func someClients(names []string) ([]string, error) {
	if slices.Equal(names, []string{noClients}) {
		return nil, nil
	}
	return some("client", names, clientNames())
}

// clientPeers lists the clients of suites, each program's versions from the
// oldest, and what can't be had. A suite that has the same package as an older
// one is left out.
func (w wish) clientPeers(ctx context.Context, suites []string, progress func(string)) ([]matrix.Peer, []matrix.Skip, error) {
	all := []matrix.Peer{{Name: pairing.Reference}}
	var skipped []matrix.Skip
	for _, suite := range suites {
		list, err := pairing.Offers(ctx, suite, w.Clients, progress)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			skipped = append(skipped, matrix.Skip{What: "clients of " + suite, Why: err.Error()})
		}
		all = append(all, list...)
	}
	var chosen []matrix.Peer
	for _, name := range w.Clients {
		for _, p := range all {
			same := func(older matrix.Peer) bool { return older.Name == p.Name && older.Version == p.Version }
			if p.Name == name && !slices.ContainsFunc(chosen, same) {
				chosen = append(chosen, p)
			}
		}
	}
	return chosen, skipped, nil
}

// clientFlag is what --clients says.
func (w wish) clientFlag() []string {
	if len(w.Clients) == 0 {
		return []string{noClients}
	}
	return w.Clients
}

// meet sends the clients to the servers of the cells.
func (f *field) meet(ctx context.Context, cells []cell, dir string) ([]matrix.Pairing, []matrix.Skip, error) {
	clients := clientPeers(cells)
	if len(clients) == 0 {
		return nil, nil, nil
	}
	m := meeting{dir: dir, jobs: f.jobs, fresh: f.fresh, show: newOverview(os.Stderr), servers: serverPeers(cells), clients: clients}
	return m.run(ctx)
}

// serverPeers are the servers that cells are of, without the reference.
func serverPeers(cells []cell) []matrix.Peer {
	var list []matrix.Peer
	for _, c := range cells {
		p := matrix.Peer{Name: c.Target, Release: c.Suite, Image: c.Image}
		if c.Client == nil && c.Target != reference && !slices.ContainsFunc(list, p.Same) {
			list = append(list, p)
		}
	}
	return list
}

// clientPeers are the clients that cells are of.
func clientPeers(cells []cell) []matrix.Peer {
	var list []matrix.Peer
	for _, c := range cells {
		if c.Client != nil {
			list = append(list, matrix.Peer{Name: c.Target, Release: c.Suite, Image: c.Image})
		}
	}
	return list
}

// A meeting has every client meet every server, several servers at once, and
// keeps what came of each pair in a file, so that what was interrupted goes on
// where it stopped.
type meeting struct {
	dir   string
	jobs  int
	fresh bool
	show  overview

	servers []matrix.Peer // without the reference
	clients []matrix.Peer

	mu      sync.Mutex
	open    []*lazyClient // as clients
	alone   []map[matrix.Operation]pairing.Observed
	found   map[string][]pairing.Result // by pair
	skipped []matrix.Skip
}

// A lazyClient is opened when it is first needed.
type lazyClient struct {
	peer matrix.Peer
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

// run returns the pairings, server by server, and what could not be had. An
// error means that the run was interrupted.
func (m *meeting) run(ctx context.Context) (_ []matrix.Pairing, _ []matrix.Skip, err error) {
	m.show.plan(len(m.clients) * (1 + len(m.servers)))
	defer m.show.close()
	m.found = make(map[string][]pairing.Result)
	m.alone = make([]map[matrix.Operation]pairing.Observed, len(m.clients))
	for _, c := range m.clients {
		m.open = append(m.open, &lazyClient{peer: c})
	}
	defer func() {
		for _, l := range m.open {
			err = errors.Join(err, l.close())
		}
	}()
	home := matrix.Peer{Name: pairing.Reference}
	m.each(ctx, len(m.clients), func(i int) { // each with a reference server of its own
		m.alone[i] = map[matrix.Operation]pairing.Observed{}
		for _, r := range m.meet(ctx, home, []int{i}) {
			if r.Outcome == matrix.Works { // what went wrong says nothing of what the client would use
				m.alone[i][r.Operation] = r.Observed
			}
		}
	})
	all := make([]int, len(m.clients))
	for i := range all {
		all[i] = i
	}
	m.each(ctx, len(m.servers), func(i int) { m.meet(ctx, m.servers[i], all) })
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("interrupted: the same command goes on from what is in %s", m.dir)
	}
	var list []matrix.Pairing
	for _, s := range append([]matrix.Peer{home}, m.servers...) {
		for _, c := range m.clients {
			for _, r := range m.found[pairName(c, s)] {
				list = append(list, r.Pairing)
			}
		}
	}
	return list, m.skipped, nil
}

// each calls f for n numbers, several at once.
func (m *meeting) each(ctx context.Context, n int, f func(int)) {
	queue := make(chan int)
	var workers sync.WaitGroup
	for range m.jobs {
		workers.Go(func() {
			for i := range queue {
				f(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() == nil {
			queue <- i
		}
	}
	close(queue)
	workers.Wait()
}

// meet has clients meet one server, which is started when it is first needed.
func (m *meeting) meet(ctx context.Context, peer matrix.Peer, clients []int) (all []pairing.Result) {
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
			m.show.reused(pairTitle(c, peer))
			m.keep(c, peer, list)
			all = append(all, list...)
			continue
		}
		m.show.start(pairTitle(c, peer))
		start := time.Now()
		if server == nil && broken == nil {
			server, broken = pairing.OpenServer(ctx, peer.Name, peer.Release)
		}
		list, err := m.pair(ctx, server, broken, i)
		if err == nil {
			err = m.write(c, peer, list)
		} else if server != nil { // who knows what it holds
			_ = server.Close()
			server = nil
		}
		if err != nil {
			m.show.done(pairTitle(c, peer), "skipped: "+err.Error())
			m.miss(pairTitle(c, peer), err)
			continue
		}
		m.keep(c, peer, list)
		all = append(all, list...)
		m.show.done(pairTitle(c, peer), fmt.Sprintf("%s, %.0f s", summary(list), time.Since(start).Seconds()))
	}
	return all
}

func (m *meeting) pair(ctx context.Context, server *pairing.Server, broken error, i int) ([]pairing.Result, error) {
	if broken != nil {
		return nil, broken
	}
	c, err := m.open[i].get(ctx)
	if err != nil {
		return nil, err
	}
	p := pairing.Pair{Client: c, Server: server, WithReference: m.alone[i]}
	return p.Do(ctx)
}

func (m *meeting) keep(c, s matrix.Peer, list []pairing.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.found[pairName(c, s)] = list
}

func (m *meeting) miss(what string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skipped = append(m.skipped, matrix.Skip{What: what, Why: err.Error()})
}

// summary counts outcomes, the worst first.
func summary(list []pairing.Result) string {
	var parts []string
	for _, o := range slices.Backward(matrix.Outcomes) {
		n := 0
		for _, r := range list {
			if r.Outcome == o {
				n++
			}
		}
		if n > 0 && o != matrix.Unable {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(parts, ", ")
}

func pairTitle(c, s matrix.Peer) string { return c.String() + " with " + s.String() }

func pairName(c, s matrix.Peer) string {
	return strings.ReplaceAll(c.String()+"--"+s.String(), " ", "-")
}

// A filedPair is a pair of an earlier matrix.
type filedPair struct {
	Version string           `json:"version"` // of the suite
	Client  matrix.Peer      `json:"client"`
	Server  matrix.Peer      `json:"server"`
	Results []pairing.Result `json:"results"`
}

func (m *meeting) file(c, s matrix.Peer) string { return filepath.Join(m.dir, pairName(c, s)+".json") }

// earlier is what came of the pair in an earlier matrix of the same suite with
// the same images.
func (m *meeting) earlier(c, s matrix.Peer) ([]pairing.Result, bool) {
	if m.fresh || unsettled(version()) {
		return nil, false
	}
	b, err := os.ReadFile(m.file(c, s))
	if err != nil {
		return nil, false
	}
	var f filedPair
	if json.Unmarshal(b, &f) != nil || f.Version != version() || f.Client.Image != c.Image || f.Server.Image != s.Image {
		return nil, false
	}
	return f.Results, len(f.Results) == len(matrix.Operations)
}

// unsettled reports whether a version may stand for several suites.
func unsettled(v string) bool { return strings.HasSuffix(v, "-dirty") || v == "unknown" }

func (m *meeting) write(c, s matrix.Peer, list []pairing.Result) error {
	b, err := json.MarshalIndent(filedPair{Version: version(), Client: c, Server: s, Results: list}, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(m.dir, 0o755); err != nil { // #nosec: reports are for everybody
		return err
	}
	return os.WriteFile(m.file(c, s), b, 0o644) // #nosec: reports are for everybody
}
