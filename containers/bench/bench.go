package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A Plan says what to measure, and for how long.
type Plan struct {
	Self     string        // the path of this program, which has the reference server
	Rounds   int           // of which the median counts
	Runtime  time.Duration // of one load on one server
	Size     int           // of the exports, bytes
	Networks []string      // "unix", "tcp"
	Rows     []string      // only rows whose name has one of these texts, as in "unix, fio, 4K rand read x1"; nil: all

	Plan func(measurements int)   // called first; may be nil
	Done func(what string, n int) // called after n measurements; may be nil
}

// A Result is all that was measured. It is what the JSON file has.
type Result struct {
	Date    time.Time `json:"date"`
	Machine string    `json:"machine"`
	Load    [2]string `json:"load_average"` // before and after, of a minute
	Rounds  int       `json:"rounds"`
	Runtime string    `json:"runtime"`
	Size    int       `json:"size"`
	Servers []Server  `json:"servers"`
	Missing []string  `json:"missing,omitempty"` // programs that are not on PATH
	Tables  []Table   `json:"tables"`
}

// A Server is one column.
type Server struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Scale   bool   `json:"scale,omitempty"` // it keeps no data, and is shown for scale
}

// A Table is what was measured over one network by one source of load.
type Table struct {
	Network string        `json:"network"`
	Load    string        `json:"load"`
	Rows    []Measurement `json:"rows"`
}

// A Measurement is a row: the requests per second of every round, by the name
// of the server.
type Measurement struct {
	Row     string               `json:"row"`
	Samples map[string][]float64 `json:"samples"`
}

// A load is a source of load.
type load struct {
	name string
	rows []Row
	run  func(context.Context, *running, Row, int, time.Duration) (float64, error)
}

func ownClient(simple bool) func(context.Context, *running, Row, int, time.Duration) (float64, error) {
	return func(ctx context.Context, s *running, r Row, size int, d time.Duration) (float64, error) {
		return reads(ctx, s, r, size, d, simple)
	}
}

var loads = []load{
	{"fio", Rows, fio},
	{"reference client, simple replies", replyRows, ownClient(true)},
	{"reference client, structured replies", replyRows, ownClient(false)},
}

// Run measures. Programs that are not installed are omitted and named, except for
// fio, without which there is nothing to do.
func Run(ctx context.Context, p Plan) (Result, error) {
	r := Result{Date: time.Now().UTC(), Machine: machine(), Rounds: p.Rounds, Runtime: p.Runtime.String(), Size: p.Size}
	r.Load[0] = loadAverage()
	if _, err := exec.LookPath(fioProgram); err != nil {
		return r, fmt.Errorf("%s is not on PATH: apt-get install %[1]s", fioProgram)
	}
	dir, err := os.MkdirTemp(memory(), "nbdconform-bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	var present []serverProgram
	for _, c := range serverPrograms(p.Self) {
		if _, err := exec.LookPath(c.program); err != nil {
			r.Missing = append(r.Missing, c.name)
			continue
		}
		present = append(present, c)
		r.Servers = append(r.Servers, Server{c.name, version(c), c.scale})
	}
	total := 0
	for _, network := range p.Networks {
		for _, l := range loads {
			total += p.Rounds * len(p.rows(network, l)) * len(present)
		}
	}
	if total == 0 {
		return r, errors.New("no row has such a name: they are like \"unix, fio, 4K rand read x1\"")
	}
	if p.Plan != nil {
		p.Plan(total)
	}
	n := 0
	for _, network := range p.Networks {
		tables, err := p.network(ctx, dir, network, present, &n)
		if err != nil {
			return r, err
		}
		r.Tables = append(r.Tables, tables...)
	}
	r.Load[1] = loadAverage()
	return r, nil
}

// rows are those of a load that are to be measured.
func (p Plan) rows(network string, l load) (list []Row) {
	for _, row := range l.rows {
		name := fmt.Sprintf("%s, %s, %v", network, l.name, row)
		has := func(text string) bool { return strings.Contains(name, text) }
		if len(p.Rows) == 0 || slices.ContainsFunc(p.Rows, has) {
			list = append(list, row)
		}
	}
	return list
}

// network measures all servers over one network.
func (p Plan) network(ctx context.Context, dir, network string, present []serverProgram, n *int) ([]Table, error) {
	var servers []*running
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	for _, c := range present {
		s, err := c.start(ctx, dir, network, p.Size)
		if err != nil {
			return nil, err
		}
		servers = append(servers, s)
		fill := Row{Write: true, Block: 256 << 10, Depth: 8} // a hole is read faster than data
		if _, err := fio(ctx, s, fill, p.Size, 0); err != nil {
			return nil, err
		}
	}
	var tables []Table
	for _, l := range loads {
		rows := p.rows(network, l)
		if len(rows) == 0 {
			continue
		}
		t := Table{Network: network, Load: l.name}
		for _, row := range rows {
			t.Rows = append(t.Rows, Measurement{Row: row.String(), Samples: make(map[string][]float64)})
		}
		for round := range p.Rounds {
			for i, row := range rows {
				for k := range servers { // the order changes with the round
					s := servers[(k+round)%len(servers)]
					v, err := l.run(ctx, s, row, p.Size, p.Runtime)
					if err != nil && !errors.Is(err, errNoStructured) {
						return nil, err
					}
					if err == nil {
						t.Rows[i].Samples[s.name] = append(t.Rows[i].Samples[s.name], v)
					}
					if *n++; p.Done != nil {
						p.Done(fmt.Sprintf("%s, %v, %s", network, row, s.name), *n)
					}
				}
			}
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// memory is a directory in memory, or "" where there is none: the usual one.
func memory() string {
	if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
		return "/dev/shm"
	}
	return ""
}
