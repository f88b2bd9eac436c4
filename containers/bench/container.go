package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/reference/client"
	"nbdconform/reports/matrix"
)

// A ContainerPlan measures servers that run in containers, with the reference client.
type ContainerPlan struct {
	Rounds  int                 // of which the median counts
	Runtime time.Duration       // of one load on one server
	Done    func(server string) // called when a server has had a round
}

// ContainerSize is that of the exports that are measured, in bytes.
const ContainerSize = 32 << 20

// containerRows are the loads of a profile. The first is about latency.
var containerRows = []Row{
	{Random: true, Block: 4 << 10, Depth: 1},
	{Random: true, Block: 4 << 10, Depth: 32},
	{Write: true, Random: true, Block: 4 << 10, Depth: 32},
	{Block: 256 << 10, Depth: 8},
	{Write: true, Block: 256 << 10, Depth: 8},
}

// Measure measures the servers round-robin, round by round.
func (p ContainerPlan) Measure(ctx context.Context, servers []subject.Server) (*matrix.Performance, error) {
	perf := &matrix.Performance{
		Date: time.Now().UTC().Truncate(time.Second), Machine: machine(), Rounds: p.Rounds, Seconds: p.Runtime.Seconds(), Size: ContainerSize,
	}
	perf.Load[0] = loadAverage()
	took := make([][][]time.Duration, len(servers))
	for i, s := range servers {
		id := s.Identity()
		for _, r := range containerRows {
			perf.Speeds = append(perf.Speeds, matrix.Speed{
				Server: matrix.Peer{Name: id.Name, Release: id.Release, Version: id.Version, Image: id.Image}, Load: r.String(), Bytes: r.Block,
			})
		}
		took[i] = make([][]time.Duration, len(containerRows))
	}
	for round := range p.Rounds {
		for k := range servers { // the order changes with the round
			i := (k + round) % len(servers)
			rates, each, err := p.round(ctx, servers[i], round == 0)
			if err != nil {
				return nil, fmt.Errorf("measuring %s: %w", servers[i].Identity().Name, err)
			}
			for j := range containerRows {
				speed := &perf.Speeds[i*len(containerRows)+j]
				speed.PerSecond = append(speed.PerSecond, rates[j])
				took[i][j] = append(took[i][j], each[j]...)
			}
			p.Done(perf.Speeds[i*len(containerRows)].Server.String())
		}
	}
	for i := range servers {
		for j := range containerRows {
			perf.Speeds[i*len(containerRows)+j].Microseconds = percentiles(took[i][j])
		}
	}
	perf.Load[1] = loadAverage()
	return perf, nil
}

// round runs every load on a server once. The first time, it is filled before:
// a hole is read faster than data.
func (p ContainerPlan) round(ctx context.Context, s subject.Server, first bool) (rates []float64, took [][]time.Duration, err error) {
	nc, err := s.Dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	c, err := client.Connect(ctx, nc, client.Config{Export: s.Profile().Export, Grace: 300 * time.Millisecond})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = c.Close() }()
	if first {
		if err := fill(ctx, c); err != nil {
			return nil, nil, err
		}
	}
	for _, r := range containerRows {
		rate, each, err := drive(ctx, c, r, ContainerSize, p.Runtime)
		if err != nil {
			return nil, nil, fmt.Errorf("%v: %w", r, err)
		}
		rates, took = append(rates, rate), append(took, each)
	}
	return rates, took, nil
}

func fill(ctx context.Context, c *client.Client) error {
	b := slices.Repeat([]byte{0x5a}, 1<<20)
	for at := 0; at < ContainerSize; at += len(b) {
		if err := c.WriteAt(ctx, b, uint64(at), 0); err != nil {
			return fmt.Errorf("filling it: %w", err)
		}
	}
	return nil
}

// percentiles says within how many microseconds so many of a hundred requests
// were done.
func percentiles(took []time.Duration) (p matrix.Percentiles) {
	if len(took) == 0 {
		return p
	}
	slices.Sort(took)
	at := func(percent int) float64 {
		return float64(took[min(len(took)*percent/100, len(took)-1)]) / float64(time.Microsecond)
	}
	return matrix.Percentiles{P50: at(50), P90: at(90), P99: at(99)}
}
