package capture

import (
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"nbdconform/reports/recording"
)

// Port is the server's port in what Write writes: that of the protocol.
const Port = 10809

const (
	firstClientPort = 40000
	segment         = 32 << 10 // bytes of TCP payload in a packet
	window          = 65535
)

// The interfaces of the capture.
const (
	inClear = iota
	inTLS
)

// A Mark is a remark on a byte of what one side said.
type Mark struct {
	Conn   int
	Client bool  // who said it: the client, or the server
	Offset int64 // in what that side sent
	Text   string
}

// About says where a capture comes from.
type About struct {
	Application string // what made it
	Comment     string // on the whole
	Marks       []Mark
}

// Write writes a recording as pcapng. Every connection is a TCP connection of
// its own, from port 40000 on to port 10809. What was said within TLS is plain
// text here, on one more connection, of an interface whose comment says so.
func Write(w io.Writer, r *recording.Recording, a About) error {
	clear := pcapgo.DefaultNgInterface
	clear.Name, clear.LinkType, clear.SnapLength = "recorded", layers.LinkTypeEthernet, 0
	clear.Comment = "made from a recording of one side: the packets around the bytes are made up"
	options := pcapgo.DefaultNgWriterOptions
	options.SectionInfo = pcapgo.NgSectionInfo{Application: comment(a.Application), Comment: comment(a.Comment)}
	ng, err := pcapgo.NewNgWriterInterface(w, clear, options)
	if err != nil {
		return fmt.Errorf("writing capture: %w", err)
	}
	plain := clear
	plain.Name = "recorded-within-tls"
	plain.Comment = "plain text: on the wire this was within TLS. " + clear.Comment
	if _, err := ng.AddInterface(plain); err != nil {
		return fmt.Errorf("writing capture: %w", err)
	}
	c := &writer{ng: ng, start: r.Start, marks: a.Marks, flows: map[int]*flow{}}
	for _, e := range r.Events {
		c.event(e)
	}
	if c.err == nil {
		c.err = ng.Flush()
	}
	if c.err != nil {
		return fmt.Errorf("writing capture: %w", c.err)
	}
	return nil
}

// comment makes a text fit for an option of pcapng, which is UTF-8 and has a
// length of 16 bits.
func comment(s string) string {
	const most = 8 << 10
	return strings.ToValidUTF8(s[:min(len(s), most)], "\uFFFD")
}

type writer struct {
	ng    *pcapgo.NgWriter
	start time.Time
	marks []Mark
	flows map[int]*flow // by connection
	ports int
	err   error
}

// A flow is one made-up TCP connection.
type flow struct {
	port    layers.TCPPort
	iface   int
	next    [2]uint32 // sequence numbers: of the client, of the server
	ended   [2]bool
	said    [2]int64 // by client and server, bytes, also before TLS
	comment string
}

const (
	client = 0
	server = 1
)

func (c *writer) event(e recording.Event) {
	f := c.flows[e.Conn]
	at := c.start.Add(e.At)
	switch e.Kind {
	case recording.Connects:
		c.flows[e.Conn] = c.open(at, inClear, fmt.Sprintf("connection %d of the recording", e.Conn+1))
		return
	case recording.TLS:
		if f != nil && e.Text != "" {
			f.comment = "here the client tried to go over to TLS: " + e.Text
			c.packet(at, f, client, nil, layers.TCP{})
			return
		}
		next := c.open(at, inTLS, fmt.Sprintf("connection %d of the recording goes over to TLS: what follows is plain text", e.Conn+1))
		if f != nil {
			next.said = f.said
			c.end(at, f, client)
			c.end(at, f, server)
		}
		c.flows[e.Conn] = next
		return
	}
	if f == nil {
		return
	}
	switch e.Kind {
	case recording.ClientSent:
		c.say(at, e, f, client)
	case recording.ServerSent:
		c.say(at, e, f, server)
	case recording.ClientEnds, recording.ClientHalf:
		c.leave(at, e, f, client)
	case recording.ServerEnds:
		c.leave(at, e, f, server)
	case recording.Silence:
		f.comment = "here the client gave up waiting: " + e.Text
		c.packet(at, f, client, nil, layers.TCP{})
	case recording.CutClient, recording.CutServer:
		f.comment = "what the " + strings.TrimPrefix(string(e.Kind), "cut-") + " said from here on was not kept"
		c.packet(at, f, client, nil, layers.TCP{})
	}
}

func (c *writer) say(at time.Time, e recording.Event, f *flow, side int) {
	c.data(at, f, side, e.Bytes, c.remarks(e.Conn, side, f.said[side], len(e.Bytes)))
	f.said[side] += int64(len(e.Bytes))
}

func (c *writer) leave(at time.Time, e recording.Event, f *flow, side int) {
	if strings.Contains(e.Text, "reset") {
		f.ended = [2]bool{true, true}
		c.packet(at, f, side, nil, layers.TCP{RST: true})
		return
	}
	c.end(at, f, side)
}

// remarks are the marks within n bytes of one side's from offset on, by their
// places in these.
func (c *writer) remarks(conn, side int, offset int64, n int) map[int]string {
	found := map[int]string{}
	for _, m := range c.marks {
		if at := m.Offset - offset; m.Conn == conn && m.Client == (side == client) && at >= 0 && at < int64(n) {
			found[int(at)] = m.Text
		}
	}
	return found
}

// open does a handshake.
func (c *writer) open(at time.Time, iface int, comment string) *flow {
	f := &flow{port: layers.TCPPort(firstClientPort + c.ports%20000), iface: iface, comment: comment}
	c.ports++
	f.next = [2]uint32{1000, 5000}
	c.packet(at, f, client, nil, layers.TCP{SYN: true})
	c.packet(at, f, server, nil, layers.TCP{SYN: true, ACK: true})
	c.packet(at, f, client, nil, layers.TCP{ACK: true})
	return f
}

// data sends bytes in segments. A segment ends before a byte with a remark, so
// that the message in question opens a packet.
func (c *writer) data(at time.Time, f *flow, side int, b []byte, remarks map[int]string) {
	for pos := 0; pos < len(b); {
		end := min(pos+segment, len(b))
		for p := range remarks {
			if p > pos && p < end {
				end = p
			}
		}
		if text, ok := remarks[pos]; ok {
			f.comment = text
		}
		c.packet(at, f, side, b[pos:end], layers.TCP{PSH: end == len(b)})
		pos = end
	}
}

func (c *writer) end(at time.Time, f *flow, side int) {
	if !f.ended[side] {
		f.ended[side] = true
		c.packet(at, f, side, nil, layers.TCP{FIN: true})
		c.packet(at, f, 1-side, nil, layers.TCP{})
	}
}

var (
	macs = [2]net.HardwareAddr{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}
	ips  = [2]net.IP{net.IPv4(192, 0, 2, 1), net.IPv4(192, 0, 2, 2)} // RFC 5737: for documentation
)

func (c *writer) packet(at time.Time, f *flow, side int, payload []byte, tcp layers.TCP) {
	if c.err != nil {
		return
	}
	tcp.SrcPort, tcp.DstPort = f.port, Port
	if side == server {
		tcp.SrcPort, tcp.DstPort = Port, f.port
	}
	tcp.Seq, tcp.Window = f.next[side], window
	if side == server || !tcp.SYN {
		tcp.ACK, tcp.Ack = true, f.next[1-side]
	}
	f.next[side] += uint32(len(payload))
	if tcp.SYN || tcp.FIN {
		f.next[side]++
	}
	eth := layers.Ethernet{SrcMAC: macs[side], DstMAC: macs[1-side], EthernetType: layers.EthernetTypeIPv4}
	ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: ips[side], DstIP: ips[1-side]}
	if c.err = tcp.SetNetworkLayerForChecksum(&ip); c.err != nil {
		return
	}
	b := gopacket.NewSerializeBuffer()
	fix := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if c.err = gopacket.SerializeLayers(b, fix, &eth, &ip, &tcp, gopacket.Payload(payload)); c.err != nil {
		return
	}
	var opts pcapgo.NgPacketOptions
	if f.comment != "" {
		opts.Comments, f.comment = []string{comment(f.comment)}, ""
	}
	n := len(b.Bytes())
	c.err = c.ng.WritePacketWithOptions(gopacket.CaptureInfo{
		Timestamp: at, CaptureLength: n, Length: n, InterfaceIndex: f.iface,
	}, b.Bytes(), opts)
}
