package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"nbdconform/reports/recording"
)

// A told watcher writes down what it is told.
type told struct {
	client, server bytes.Buffer
	ends           []string
	lost           string
}

func (w *told) FromClient(b []byte)    { w.client.Write(b) }
func (w *told) FromServer(b []byte)    { w.server.Write(b) }
func (w *told) ClientClosed(err error) { w.ends = append(w.ends, fmt.Sprint("client ", err)) }
func (w *told) ServerClosed(err error) { w.ends = append(w.ends, fmt.Sprint("server ", err)) }
func (w *told) Lost(why string)        { w.lost = why }

func readAll(t *testing.T, b []byte) (list []*told, sum Summary) {
	t.Helper()
	sum, err := Read(bytes.NewReader(b), func(Flow) Watcher {
		list = append(list, &told{})
		return list[len(list)-1]
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, sum
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	r := sample()
	got, sum := readAll(t, written(t, r, About{}))
	if len(got) != 3 || sum.Flows != 3 || sum.Headless != 0 {
		t.Fatalf("%d flows, %+v", len(got), sum)
	}
	var client, server [2]bytes.Buffer
	for _, e := range r.Events {
		switch e.Kind {
		case recording.ClientSent:
			client[e.Conn].Write(e.Bytes)
		case recording.ServerSent:
			server[e.Conn].Write(e.Bytes)
		}
	}
	for i, c := range []struct{ client, server string }{
		{client[0].String(), server[0].String()},
		{client[1].String()[:4], server[1].String()[:18]},
		{client[1].String()[4:], server[1].String()[18:]},
	} {
		if got[i].client.String() != c.client || got[i].server.String() != c.server || got[i].lost != "" {
			t.Errorf("flow %d: %d and %d bytes, lost %q; want %d and %d", i, got[i].client.Len(), got[i].server.Len(), got[i].lost, len(c.client), len(c.server))
		}
	}
	if diff := cmp.Diff([]string{"server connection reset by peer"}, got[0].ends); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"server <nil>", "client <nil>"}, got[2].ends); diff != "" {
		t.Error(diff)
	}
}

// packets are the packets of a capture.
func packets(t *testing.T, b []byte) (list [][]byte) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, _, err := r.ReadPacketData()
		if err != nil {
			return list
		}
		list = append(list, data)
	}
}

// pcap is a capture of the older form.
func pcap(t *testing.T, list [][]byte, cutAt int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(1<<18, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		n := min(len(p), cutAt)
		if err := w.WritePacket(gopacket.CaptureInfo{CaptureLength: n, Length: len(p)}, p[:n]); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// one is a conversation of which the server says 26 letters, each in a packet of its own.
func one(t *testing.T) [][]byte {
	r := &recording.Recording{Events: []recording.Event{{Kind: recording.Connects}}}
	for c := byte('a'); c <= 'z'; c++ {
		r.Events = append(r.Events, recording.Event{Kind: recording.ServerSent, Bytes: []byte{c}})
	}
	r.Events = append(r.Events, recording.Event{Kind: recording.ServerEnds}, recording.Event{Kind: recording.ClientEnds})
	return packets(t, written(t, r, About{}))
}

func TestSegmentsAreReassembled(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	for name, tc := range map[string]struct {
		change func([][]byte) [][]byte
		cutAt  int
		want   string
		lost   string
		ends   int
	}{
		"in order":              {func(p [][]byte) [][]byte { return p }, 1 << 16, letters, "", 2},
		"two change places":     {func(p [][]byte) [][]byte { p[5], p[9] = p[9], p[5]; return p }, 1 << 16, letters, "", 2},
		"everything twice":      {func(p [][]byte) [][]byte { return append(p[:20:20], p[3:]...) }, 1 << 16, letters, "", 2},
		"the end comes early":   {func(p [][]byte) [][]byte { p[10], p[29] = p[29], p[10]; return p }, 1 << 16, letters, "", 2},
		"one is missing":        {func(p [][]byte) [][]byte { return append(p[:10:10], p[11:]...) }, 1 << 16, letters[:7], "bytes are missing", 1},
		"packets are cut short": {func(p [][]byte) [][]byte { return p }, 54, "", "in part only", 0},
		"the capture ends":      {func(p [][]byte) [][]byte { return p[:10] }, 1 << 16, letters[:7], "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := readAll(t, pcap(t, tc.change(one(t)), tc.cutAt))
			if len(got) != 1 || got[0].server.String() != tc.want || !strings.Contains(got[0].lost, tc.lost) || (tc.lost == "") != (got[0].lost == "") || len(got[0].ends) != tc.ends {
				t.Errorf("%q, lost %q, ends %q", got[0].server.String(), got[0].lost, got[0].ends)
			}
		})
	}
}

func TestConnectionsWithoutABeginningAreCounted(t *testing.T) {
	got, sum := readAll(t, pcap(t, one(t)[3:], 1<<16))
	if len(got) != 0 || sum.Headless != 1 {
		t.Errorf("%d flows, %+v", len(got), sum)
	}
}

func TestARealCaptureIsRead(t *testing.T) {
	b, err := os.ReadFile("testdata/nbdinfo-nbdkit.pcap") // two runs of nbdinfo 1.14 against nbdkit 1.32 on the loopback
	if err != nil {
		t.Fatal(err)
	}
	got, sum := readAll(t, b)
	if len(got) != 2 || sum.Headless != 0 {
		t.Fatalf("%d flows, %+v", len(got), sum)
	}
	for _, w := range got {
		disc := binary.BigEndian.AppendUint32(nil, 0x25609513)
		disc = append(disc, 0, 0, 0, 2)
		if !strings.HasPrefix(w.server.String(), "NBDMAGICIHAVEOPT") || !bytes.Contains(w.client.Bytes(), disc) || w.lost != "" || len(w.ends) != 2 {
			t.Errorf("client %d bytes, server %d, lost %q, ends %q", w.client.Len(), w.server.Len(), w.lost, w.ends)
		}
	}
}

func TestWhatIsNoCaptureIsRefused(t *testing.T) {
	for _, text := range []string{"", "abc", "not a capture at all, really", "\x0a\x0d\x0d\x0a", "\xd4\xc3\xb2\xa1"} {
		if _, err := Read(strings.NewReader(text), func(Flow) Watcher { return nil }); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// FuzzRead: whatever a file says, reading it neither panics nor tells more
// bytes than it has.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := Write(&b, sample(), About{}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes()[:8<<10])
	if real, err := os.ReadFile("testdata/nbdinfo-nbdkit.pcap"); err == nil {
		f.Add(real)
	}
	f.Add([]byte("\x0a\x0d\x0d\x0a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []*told
		sum, err := Read(bytes.NewReader(b), func(Flow) Watcher {
			list = append(list, &told{})
			return list[len(list)-1]
		})
		if err != nil && strings.Contains(err.Error(), "runtime error") {
			t.Fatalf("the reader had to recover: %v", err)
		}
		said := 0
		for _, w := range list {
			said += w.client.Len() + w.server.Len()
			if len(w.ends) > 2 {
				t.Errorf("ends %q", w.ends)
			}
		}
		if said > len(b) || sum.Flows != len(list) {
			t.Errorf("%d bytes told of %d, %d flows of %d", said, len(b), len(list), sum.Flows)
		}
	})
}
