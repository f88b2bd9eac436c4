package fromcapture

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"nbdconform/fuzz/internal/script"
	"nbdconform/reports/capture"
)

// most is how many bytes of clients go into a script.
const most = 32 << 20

// Read makes a script of a capture, pcapng or pcap: of the conversations in it
// whose server has the port of the protocol, or greets as one of NBD does. The
// notes say what is not in the script. It is an error if nothing is.
func Read(r io.Reader) (script.Script, []string, error) {
	m := &maker{}
	sum, err := capture.Read(r, func(f capture.Flow) capture.Watcher {
		t := &talk{maker: m, conn: -1, last: -1, closed: -1, certain: f.ServerPort == capture.Port, from: m.secured}
		m.secured = nil
		m.talks = append(m.talks, t)
		return t
	})
	for _, t := range m.talks {
		t.end()
	}
	if sum.Headless+sum.Beyond > 0 {
		m.notef("%d connections began before the capture, or were too many", sum.Headless+sum.Beyond)
	}
	switch {
	case len(m.ops) > 0 && err != nil:
		m.notef("the capture is not whole: %v", err)
	case err != nil:
		return script.Script{}, nil, err
	case len(m.ops) == 0:
		return script.Script{}, nil, errors.New("no client says anything of NBD in the capture")
	}
	return script.Script{Ops: m.ops}, m.notes, nil
}

// A maker makes one script of all conversations.
type maker struct {
	ops   []script.Op
	talks []*talk
	// secured is the conversation that went over to TLS last, until another begins.
	secured *talk
	notes   []string
	said    int // bytes of clients
}

func (m *maker) notef(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(m.notes, text) {
		m.notes = append(m.notes, text)
	}
}

// free is the lowest number of a connection that no conversation has, or -1.
func (m *maker) free() int {
	for n := range script.Connections {
		if !slices.ContainsFunc(m.talks, func(t *talk) bool { return t.conn == n && !t.over }) {
			return n
		}
	}
	return -1
}

// Adapt makes a script of use on other servers: the exports that its clients
// named become those of the target, and cookies are chosen afresh.
func Adapt(s script.Script) script.Script {
	s.Ops = slices.Clone(s.Ops)
	var names []string
	for i := range s.Ops {
		o := &s.Ops[i]
		o.Request.Cookie = 0
		if o.Kind != script.Option || o.Export == "" || o.Data != nil {
			continue
		}
		n := slices.Index(names, o.Export)
		if n < 0 {
			n = len(names)
			names = append(names, o.Export)
		}
		if n < 10 {
			o.Export = fmt.Sprintf("@%d", n)
		}
	}
	return s
}
