package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nbdconform/reference/client"
)

// fioProgram is the source of the load on all servers alike.
const fioProgram = "fio"

// fio has fio produce the load for a while, or once over the whole export if
// runtime is 0, and returns the requests per second.
func fio(ctx context.Context, s *running, r Row, size int, runtime time.Duration) (float64, error) {
	args := []string{
		"--name=bench", "--ioengine=nbd", "--uri=" + s.uri(), "--rw=" + r.fio(), "--bs=" + strconv.Itoa(r.Block),
		"--iodepth=" + strconv.Itoa(r.Depth), "--size=" + strconv.Itoa(size), "--norandommap", "--output-format=json",
	}
	if runtime > 0 {
		args = append(args, "--time_based", fmt.Sprintf("--runtime=%dms", runtime.Milliseconds()))
	}
	cmd := exec.CommandContext(ctx, fioProgram, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("fio on %s: %w: %s%s", s.name, err, stderr.Bytes(), out)
	}
	_, report, found := bytes.Cut(out, []byte("{")) // there are other lines before it
	if !found {
		return 0, fmt.Errorf("fio on %s: it printed no report: %s", s.name, out)
	}
	type side struct {
		IOPS float64 `json:"iops"`
	}
	var v struct {
		Jobs []struct{ Read, Write side }
	}
	if err := json.Unmarshal(append([]byte("{"), report...), &v); err != nil || len(v.Jobs) == 0 {
		return 0, fmt.Errorf("fio on %s: reading its report: %w", s.name, errors.Join(err))
	}
	if r.Write {
		return v.Jobs[0].Write.IOPS, nil
	}
	return v.Jobs[0].Read.IOPS, nil
}

// reads is the reference client as the source of a load of reads.
func reads(ctx context.Context, s *running, r Row, size int, runtime time.Duration, simple bool) (float64, error) {
	nc, err := net.Dial(s.network, s.address)
	if err != nil {
		return 0, err
	}
	c, err := client.Connect(ctx, nc, client.Config{Export: s.export, SimpleReplies: simple})
	if err != nil {
		return 0, fmt.Errorf("the reference client on %s: %w", s.name, err)
	}
	defer c.Close()
	if !simple && !c.Structured() {
		return 0, errNoStructured
	}
	v, _, err := drive(ctx, c, r, size, runtime)
	if err != nil {
		return 0, fmt.Errorf("the reference client on %s: %w", s.name, err)
	}
	return v, nil
}

// drive has a client produce the load for a while, and returns the requests per
// second and how long each of them took.
func drive(ctx context.Context, c *client.Client, r Row, size int, runtime time.Duration) (float64, []time.Duration, error) {
	var next atomic.Int64
	var group errgroup.Group
	took := make([][]time.Duration, r.Depth)
	start := time.Now()
	blocks := int64(size / r.Block)
	do := c.ReadAt
	if r.Write {
		do = c.WriteAt
	}
	for i := range r.Depth {
		group.Go(func() error {
			b := make([]byte, r.Block)
			for now := time.Now(); now.Sub(start) < runtime; {
				at := next.Add(1) % blocks
				if r.Random {
					at = rand.Int64N(blocks)
				}
				if err := do(ctx, b, uint64(at)*uint64(r.Block), 0); err != nil {
					return err
				}
				end := time.Now()
				took[i] = append(took[i], end.Sub(now))
				now = end
			}
			return nil
		})
	}
	err := group.Wait()
	each := slices.Concat(took...)
	return float64(len(each)) / time.Since(start).Seconds(), each, err
}

// errNoStructured is no failure: the server has no structured replies.
var errNoStructured = errors.New("no structured replies")
