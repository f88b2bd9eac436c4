package history_test

import (
	"context"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	. "nbdconform/reference/history"
	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const blockSize = 4096

// A shape is what operations are like, in blocks.
type shape struct {
	disk, shortest, longest uint64
	ops                     int // of each who acts
}

var (
	short = shape{6, 1, 3, 60}
	// long ones the server moves between the disk and a socket without a copy.
	long = shape{24, 8, 16, 25}
)

// serve starts a reference server on a Unix socket, with a quirk if q is not nil.
func serve(t *testing.T, q *serverquirk.Quirk) string {
	t.Helper()
	cfg := server.Config{Exports: []server.Export{{Name: "disk", Disk: export.New(1 << 20)}}}
	if q != nil {
		q.Apply(&cfg)
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(t.Context(), ln) })
	t.Cleanup(func() {
		_ = s.Close()
		served.Wait()
	})
	return ln.Addr().String()
}

// act does one random operation of one or several blocks.
func act(ctx context.Context, c *client.Client, r *Recorder, rnd *rand.Rand, id int, s shape) error {
	first := rnd.Uint64N(s.disk - s.shortest + 1)
	n := s.shortest + rnd.Uint64N(min(s.longest, s.disk-first)-s.shortest+1)
	b := make([]byte, n*blockSize)
	off := first * blockSize
	ops := make([]Op, n)
	what := rnd.IntN(10)
	for i := range ops {
		ops[i] = Op{Client: id, Block: first + uint64(i), Write: what < 6}
		if what < 4 {
			ops[i].Value = r.Next()
			ops[i].Value.Fill(b[i*blockSize:][:blockSize])
		}
	}
	var err error
	call := r.Now()
	switch {
	case what < 4:
		err = c.WriteAt(ctx, b, off, 0)
	case what < 5:
		err = c.WriteZeroes(ctx, off, n*blockSize, 0)
	case what < 6: // whole pages of this disk are zeroes after that
		err = c.Trim(ctx, off, n*blockSize, 0)
	default:
		err = c.ReadAt(ctx, b, off, 0)
		for i := range ops {
			ops[i].Value = ValueOf(b[i*blockSize:][:blockSize])
		}
	}
	if err != nil {
		return err
	}
	for i := range ops {
		ops[i].Call = call
		r.Add(ops[i])
	}
	if rnd.IntN(8) == 0 {
		return c.Flush(ctx)
	}
	return nil
}

// record has several clients, each of several goroutines, do as they please.
func record(t *testing.T, address string, clients, each int, s shape) []Op {
	t.Helper()
	var r Recorder
	var all sync.WaitGroup
	for i := range clients {
		nc, err := net.Dial("unix", address)
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.Connect(t.Context(), nc, client.Config{SimpleReplies: i%2 == 0, ExtendedHeaders: i%4 == 1})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for k := range each {
			id := i*each + k
			all.Go(func() {
				rnd := rand.New(rand.NewPCG(1, uint64(id)))
				for range s.ops {
					if err := act(t.Context(), c, &r, rnd, id, s); err != nil {
						t.Errorf("client %d: %v", id, err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	return r.Ops()
}

func TestReferenceServerIsLinearizable(t *testing.T) {
	for name, s := range map[string]shape{"short": short, "long": long} {
		t.Run(name, func(t *testing.T) {
			ops := record(t, serve(t, nil), 4, 3, s)
			t.Logf("%d operations", len(ops))
			if err := Linearizable(ops); err != nil {
				t.Error(err)
			}
			if err := Regular(ops); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStaleReadsAreCaught(t *testing.T) {
	for _, q := range []serverquirk.Quirk{serverquirk.StaleRead, serverquirk.MultiConnPrivate} {
		t.Run(q.Name, func(t *testing.T) {
			ops := record(t, serve(t, &q), 3, 1, shape{6, 1, 3, 100})
			if err := Linearizable(ops); err == nil || !strings.Contains(err.Error(), "no order explains") {
				t.Errorf("Linearizable: %v", err)
			}
			if err := Regular(ops); err == nil || !strings.Contains(err.Error(), "is stale or mixed up") {
				t.Errorf("Regular: %v", err)
			}
		})
	}
}

func TestWhatIsAllowed(t *testing.T) {
	w := func(v Value, call, ret int64) Op { return Op{Write: true, Value: v, Call: call, Return: ret} }
	r := func(v Value, call, ret int64) Op { return Op{Value: v, Call: call, Return: ret} }
	for name, c := range map[string]struct {
		ops                   []Op
		linearizable, regular bool
	}{
		"nothing":                    {nil, true, true},
		"zeroes at first":            {[]Op{r(0, 1, 2)}, true, true},
		"read back":                  {[]Op{w(1, 1, 2), r(1, 3, 4)}, true, true},
		"lost write":                 {[]Op{w(1, 1, 2), r(0, 3, 4)}, false, false},
		"overwritten":                {[]Op{w(1, 1, 2), w(2, 3, 4), r(1, 5, 6)}, false, false},
		"from nowhere":               {[]Op{w(1, 1, 2), r(7, 3, 4)}, false, false},
		"from the future":            {[]Op{r(1, 1, 2), w(1, 3, 4)}, false, false},
		"during a write, old":        {[]Op{w(1, 1, 4), r(0, 2, 3)}, true, true},
		"during a write, new":        {[]Op{w(1, 1, 4), r(1, 2, 3)}, true, true},
		"back and forth in a write":  {[]Op{w(1, 1, 6), r(1, 2, 3), r(0, 4, 5)}, false, true},
		"two orders of two writes":   {[]Op{w(1, 1, 3), w(2, 2, 4), r(1, 5, 6), r(2, 7, 8)}, false, true},
		"torn":                       {[]Op{w(1, 1, 2), r(Torn, 3, 4)}, false, false},
		"torn while it is written":   {[]Op{w(1, 1, 4), r(Torn, 2, 3)}, false, true},
		"written to another, unread": {[]Op{w(1, 1, 2), {Block: 1, Call: 3, Return: 4}}, true, true},
	} {
		if err := Linearizable(c.ops); (err == nil) != c.linearizable {
			t.Errorf("%s: Linearizable: %v", name, err)
		}
		if err := Regular(c.ops); (err == nil) != c.regular {
			t.Errorf("%s: Regular: %v", name, err)
		}
	}
}

func TestValues(t *testing.T) {
	b := make([]byte, 20)
	Value(0x0102030405060708).Fill(b)
	if v := ValueOf(b); v != 0x0102030405060708 {
		t.Errorf("%#x", v)
	}
	b[13]++
	if v := ValueOf(b); v != Torn {
		t.Errorf("%#x, want Torn", v)
	}
}
