package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// A Flow is one TCP connection of a capture.
type Flow struct {
	Client, Server string // addresses with ports
	ServerPort     uint16
}

// A Watcher is told what happens on a flow, in the order of the capture.
type Watcher interface {
	FromClient(b []byte) // b is only valid during the call
	FromServer(b []byte)
	ClientClosed(err error)
	ServerClosed(err error)
	// Lost says why nothing more comes: bytes are missing in the capture.
	Lost(why string)
}

// A Summary is what a capture had in it.
type Summary struct {
	Packets  int
	Flows    int // whose beginning is in the capture
	Headless int // TCP connections that began before it
	Beyond   int // flows that were not followed because there were too many at a time
}

// The limits of what is kept of a capture.
const (
	maxFlows    = 4096    // at a time
	maxHeld     = 1 << 20 // bytes of a direction that came too early
	maxSegments = 4096    // the same in segments
)

// Read reads pcapng or pcap. open is called for every TCP connection whose
// beginning is there; it may return nil for one that is of no interest. An
// error behind the first packet may be a capture that was cut off: what came
// before it was told.
func Read(r io.Reader, open func(Flow) Watcher) (Summary, error) {
	a := &assembler{open: open, flows: map[key]*conversation{}, headless: map[key]bool{}}
	err := a.read(bufio.NewReader(r))
	for _, c := range a.flows {
		c.finish()
	}
	return a.sum, err
}

type source interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

func (a *assembler) read(r *bufio.Reader) (err error) {
	defer func() { // the formats have many corners, and captures come from anywhere
		if p := recover(); p != nil {
			err = fmt.Errorf("reading capture: packet %d: %v", a.sum.Packets+1, p)
		}
	}()
	magic, err := r.Peek(4)
	if err != nil {
		return fmt.Errorf("reading capture: shorter than any: %w", err)
	}
	var from source
	var link func(gopacket.CaptureInfo) layers.LinkType
	if bytes.Equal(magic, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
		ng, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			return fmt.Errorf("reading pcapng: %w", err)
		}
		from, link = ng, func(ci gopacket.CaptureInfo) layers.LinkType {
			t, _ := ci.AncillaryData[0].(layers.LinkType)
			return t
		}
	} else {
		p, err := pcapgo.NewReader(r)
		if err != nil {
			return fmt.Errorf("reading capture: neither pcapng nor pcap: %w", err)
		}
		from, link = p, func(gopacket.CaptureInfo) layers.LinkType { return p.LinkType() }
	}
	for {
		data, ci, err := from.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading capture: packet %d: %w", a.sum.Packets+1, err)
		}
		a.sum.Packets++
		a.packet(gopacket.NewPacket(data, link(ci), gopacket.DecodeOptions{Lazy: true, NoCopy: true}), ci.CaptureLength < ci.Length)
	}
}

// A key names one direction of a flow.
type key struct{ network, transport gopacket.Flow }

func (k key) reverse() key { return key{k.network.Reverse(), k.transport.Reverse()} }

type assembler struct {
	open     func(Flow) Watcher
	flows    map[key]*conversation // by the client's direction
	headless map[key]bool
	sum      Summary
}

func (a *assembler) packet(p gopacket.Packet, short bool) {
	network := p.NetworkLayer()
	tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if network == nil || !ok {
		return
	}
	k := key{network.NetworkFlow(), tcp.TransportFlow()}
	if tcp.SYN && !tcp.ACK {
		a.begin(k, tcp)
		return
	}
	side := 0
	c := a.flows[k]
	if c == nil {
		k, side = k.reverse(), 1
		c = a.flows[k]
	}
	if c == nil {
		if len(tcp.Payload) > 0 { // else the last word of one that has ended
			a.stray(k)
		}
		return
	}
	c.segment(side, tcp, short)
	if c.over() {
		c.finish()
		delete(a.flows, k)
	}
}

// stray counts a connection without a beginning once.
func (a *assembler) stray(k key) {
	if !a.headless[k] && !a.headless[k.reverse()] && len(a.headless) < maxFlows {
		a.headless[k] = true
		a.sum.Headless++
	}
}

func (a *assembler) begin(k key, tcp *layers.TCP) {
	if old := a.flows[k]; old != nil {
		if old.ways[0].next == tcp.Seq+1 && old.ways[0].said == 0 {
			return // the same once more
		}
		old.finish()
		delete(a.flows, k)
	}
	if len(a.flows) >= maxFlows {
		a.sum.Beyond++
		return
	}
	a.sum.Flows++
	w := a.open(Flow{
		Client: fmt.Sprintf("%v:%d", k.network.Src(), tcp.SrcPort), Server: fmt.Sprintf("%v:%d", k.network.Dst(), tcp.DstPort),
		ServerPort: uint16(tcp.DstPort),
	})
	c := &conversation{watcher: w}
	c.ways[0] = way{next: tcp.Seq + 1, known: true}
	a.flows[k] = c
}

// A conversation is a flow while it is followed.
type conversation struct {
	watcher Watcher
	ways    [2]way // client, server
	lost    bool
	ended   bool
}

// A way is one direction.
type way struct {
	next  uint32 // sequence number that is due
	known bool
	said  int64
	early []piece // what came too early
	held  int
	fin   bool // its end was told
}

type piece struct {
	seq   uint32
	bytes []byte
	fin   bool
}

func (c *conversation) over() bool { return c.lost || c.ended || c.ways[0].fin && c.ways[1].fin }

func (c *conversation) segment(side int, tcp *layers.TCP, short bool) {
	w, other := &c.ways[side], &c.ways[1-side]
	if tcp.SYN {
		if side == 1 && !w.known {
			w.next, w.known = tcp.Seq+1, true
		}
		return
	}
	if c.watcher == nil || c.lost {
		return
	}
	if !w.known || w.fin && len(tcp.Payload) == 0 && !tcp.RST {
		return
	}
	if len(tcp.Payload) > 0 && tcp.ACK && other.known && int32(tcp.Ack-other.next) > 0 && len(other.early) == 0 {
		c.lose(fmt.Sprintf("%d bytes that were acknowledged are not in the capture", tcp.Ack-other.next))
		return
	}
	if tcp.RST {
		c.ended = true
		c.end(side, syscall.ECONNRESET)
		return
	}
	p := piece{tcp.Seq, tcp.Payload, tcp.FIN}
	if int32(p.seq-w.next) > 0 {
		c.hold(w, p)
		return
	}
	c.take(side, p)
	for again := true; again && !c.lost; {
		again = false
		for i, q := range w.early {
			if int32(q.seq-w.next) <= 0 {
				w.early = append(w.early[:i], w.early[i+1:]...)
				w.held -= len(q.bytes)
				c.take(side, q)
				again = true
				break
			}
		}
	}
	if short && !c.lost {
		c.lose("packets were captured in part only")
	}
}

// take tells of a piece that is due, less what was told already.
func (c *conversation) take(side int, p piece) {
	w := &c.ways[side]
	old := w.next - p.seq
	if uint64(old) > uint64(len(p.bytes)) {
		return // all of it, and its end, came before
	}
	b := p.bytes[old:]
	w.next += uint32(len(b))
	w.said += int64(len(b))
	if len(b) > 0 && side == 0 {
		c.watcher.FromClient(b)
	} else if len(b) > 0 {
		c.watcher.FromServer(b)
	}
	if p.fin && !w.fin {
		w.next++
		c.end(side, nil)
	}
}

func (c *conversation) end(side int, err error) {
	if c.ways[side].fin {
		return
	}
	c.ways[side].fin = true
	if side == 0 {
		c.watcher.ClientClosed(err)
	} else {
		c.watcher.ServerClosed(err)
	}
}

func (c *conversation) hold(w *way, p piece) {
	if w.held+len(p.bytes) > maxHeld || len(w.early) >= maxSegments {
		c.lose("bytes are missing in the capture")
		return
	}
	w.held += len(p.bytes)
	w.early = append(w.early, piece{p.seq, bytes.Clone(p.bytes), p.fin})
}

func (c *conversation) lose(why string) {
	if !c.lost && c.watcher != nil {
		c.watcher.Lost(why)
	}
	c.lost = true
}

// finish is called when nothing more comes.
func (c *conversation) finish() {
	if len(c.ways[0].early)+len(c.ways[1].early) > 0 && !c.ended {
		c.lose("bytes are missing in the capture")
	}
}
