package matrix

import "time"

// A Performance is how fast servers answered on one machine.
type Performance struct {
	Date    time.Time `json:"date"`
	Machine string    `json:"machine"`
	Load    [2]string `json:"loadAverage"` // of a minute, before and after
	Rounds  int       `json:"rounds"`
	Seconds float64   `json:"seconds"` // of one load on one server, each round
	Size    int       `json:"size"`    // of the exports, in bytes
	Speeds  []Speed   `json:"speeds"`  // server by server, each with the same loads
}

// A Speed is one server under one load.
type Speed struct {
	Server       Peer        `json:"server"`
	Load         string      `json:"load"`      // "4K rand read x1"
	Bytes        int         `json:"bytes"`     // of a request
	PerSecond    []float64   `json:"perSecond"` // requests, by round
	Microseconds Percentiles `json:"microseconds"`
}

// Percentiles say in what time 50, 90 and 99 of a hundred requests were done.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
}

// Loads are what the servers were measured with, in order.
func (p Performance) Loads() []string {
	var list []string
	for _, s := range p.Speeds {
		if len(list) > 0 && s.Load == list[0] {
			break
		}
		list = append(list, s.Load)
	}
	return list
}

// Under are the speeds under one load, in the order of the servers.
func (p Performance) Under(load string) []Speed {
	var list []Speed
	for _, s := range p.Speeds {
		if s.Load == load {
			list = append(list, s)
		}
	}
	return list
}
