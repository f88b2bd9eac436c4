package bench

import "fmt"

// A Row is one kind of load.
type Row struct {
	Write  bool
	Random bool
	Block  int // bytes
	Depth  int // requests in flight
}

// Rows are the loads that servers are compared by.
var Rows = []Row{
	{Random: true, Block: 4 << 10, Depth: 1},
	{Random: true, Block: 4 << 10, Depth: 32},
	{Write: true, Random: true, Block: 4 << 10, Depth: 32},
	{Block: 256 << 10, Depth: 8},
	{Write: true, Block: 256 << 10, Depth: 8},
	{Block: 2 << 20, Depth: 4},
}

// replyRows are those in which the form of replies makes a difference.
var replyRows = []Row{Rows[1], Rows[3]}

func (r Row) String() string {
	how, what := "seq", "read"
	if r.Random {
		how = "rand"
	}
	if r.Write {
		what = "write"
	}
	size := fmt.Sprintf("%dK", r.Block>>10)
	if r.Block >= 1<<20 {
		size = fmt.Sprintf("%dM", r.Block>>20)
	}
	return fmt.Sprintf("%s %s %s x%d", size, how, what, r.Depth)
}

// fio is what fio calls it.
func (r Row) fio() string {
	s := "read"
	if r.Write {
		s = "write"
	}
	if r.Random {
		s = "rand" + s
	}
	return s
}
