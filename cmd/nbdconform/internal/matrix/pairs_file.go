package matrix

import (
	"path/filepath"

	"nbdconform/containers/pairing"
	report "nbdconform/reports/matrix"
)

// A filedPair is a pair of an earlier matrix.
type filedPair struct {
	Version string           `json:"version"` // of the suite
	Client  report.Peer      `json:"client"`
	Server  report.Peer      `json:"server"`
	Results []pairing.Result `json:"results"`
}

func (m *pairs) name(c, s report.Peer) string { return filepath.Join(m.dir, pairName(c, s)+".json") }

// earlier are the results of the pair in an earlier matrix of the same suite
// with the same images.
func (m *pairs) earlier(c, s report.Peer) ([]pairing.Result, bool) {
	var f filedPair
	if read(m.name(c, s), &f) != nil || !m.takes(f.Version) || f.Client.Image != c.Image || f.Server.Image != s.Image {
		return nil, false
	}
	return f.Results, len(f.Results) == len(report.Operations)
}

// file keeps the results of a pair.
func (m *pairs) file(c, s report.Peer, list []pairing.Result) error {
	return write(m.name(c, s), filedPair{Version: m.Version, Client: c, Server: s, Results: list})
}
