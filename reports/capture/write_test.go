package capture

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nbdconform/reports/recording"
)

// request is a compact request as the protocol document lays it out.
func request(command uint16, cookie, offset uint64, length uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0x25609513)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint16(b, command)
	b = binary.BigEndian.AppendUint64(b, cookie)
	b = binary.BigEndian.AppendUint64(b, offset)
	return binary.BigEndian.AppendUint32(b, length)
}

func reply(cookie uint64, errno uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0x67446698)
	b = binary.BigEndian.AppendUint32(b, errno)
	return binary.BigEndian.AppendUint64(b, cookie)
}

func bytesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// sample has two connections, one of which goes over to TLS.
func sample() *recording.Recording {
	greeting := []byte("NBDMAGICIHAVEOPT\x00\x03")
	flags := []byte{0, 0, 0, 3}
	exportName := bytesOf([]byte("IHAVEOPT"), []byte{0, 0, 0, 1, 0, 0, 0, 0})
	export := []byte{0, 0, 0, 0, 0, 16, 0, 0, 0, 1}
	ms := time.Millisecond
	return &recording.Recording{
		Start: time.Date(2025, 3, 14, 9, 26, 53, 0, time.UTC),
		Events: []recording.Event{
			{Conn: 0, At: 0, Kind: recording.Connects},
			{Conn: 0, At: 1 * ms, Kind: recording.ServerSent, Bytes: greeting},
			{Conn: 0, At: 2 * ms, Kind: recording.ClientSent, Bytes: bytesOf(flags, exportName)},
			{Conn: 0, At: 3 * ms, Kind: recording.ServerSent, Bytes: export},
			{Conn: 0, At: 4 * ms, Kind: recording.ClientSent, Bytes: request(0, 0x2a, 4096, 512)},
			{Conn: 1, At: 5 * ms, Kind: recording.Connects},
			{Conn: 0, At: 6 * ms, Kind: recording.ServerSent, Bytes: bytesOf(reply(0x2a, 0), make([]byte, 512))},
			{Conn: 0, At: 7 * ms, Kind: recording.ClientSent, Bytes: request(1, 0x2b, 1<<40, 4)},
			{Conn: 0, At: 7 * ms, Kind: recording.ClientSent, Bytes: []byte("data")},
			{Conn: 0, At: 8 * ms, Kind: recording.ServerSent, Bytes: reply(0x2b, 22)},
			{Conn: 1, At: 9 * ms, Kind: recording.ServerSent, Bytes: greeting},
			{Conn: 1, At: 10 * ms, Kind: recording.ClientSent, Bytes: flags},
			{Conn: 1, At: 11 * ms, Kind: recording.TLS},
			{Conn: 1, At: 12 * ms, Kind: recording.ClientSent, Bytes: exportName},
			{Conn: 1, At: 13 * ms, Kind: recording.ServerSent, Bytes: export},
			{Conn: 1, At: 14 * ms, Kind: recording.ClientSent, Bytes: request(0, 0x2c, 0, 100_000)},
			{Conn: 1, At: 15 * ms, Kind: recording.ServerSent, Bytes: bytesOf(reply(0x2c, 0), make([]byte, 100_000))},
			{Conn: 1, At: 16 * ms, Kind: recording.Silence, Text: "nothing within 1s"},
			{Conn: 1, At: 17 * ms, Kind: recording.ServerEnds},
			{Conn: 1, At: 18 * ms, Kind: recording.ClientEnds},
			{Conn: 0, At: 19 * ms, Kind: recording.ServerEnds, Text: "read: connection reset by peer"},
		},
	}
}

func written(t *testing.T, r *recording.Recording, a About) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tshark is what Wireshark makes of a capture.
func tshark(t *testing.T, capture []byte, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not on PATH: the capture was not shown to Wireshark")
	}
	path := filepath.Join(t.TempDir(), "capture.pcapng")
	if err := os.WriteFile(path, capture, 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, append([]string{"-n", "-r", path}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, stderr.String())
	}
	return string(out)
}

// Wireshark gives a reply the type of its request, which it finds by the cookie.
func TestWiresharkReadsTheRequestsAndReplies(t *testing.T) {
	got := tshark(t, written(t, sample(), About{}), "-Y", "nbd", "-T", "fields", "-E", "separator=,",
		"-e", "tcp.stream", "-e", "nbd.type", "-e", "nbd.handle", "-e", "nbd.from", "-e", "nbd.len", "-e", "nbd.error")
	want := strings.Join([]string{
		"0,0,0x000000000000002a,0x0000000000001000,512,",
		"0,0,0x000000000000002a,,,0",
		"0,1,0x000000000000002b,0x0000010000000000,4,",
		"0,1,0x000000000000002b,,,22",
		"2,0,0x000000000000002c,0x0000000000000000,100000,",
		"2,0,0x000000000000002c,,,0",
	}, "\n") + "\n"
	if got != want {
		t.Errorf("tshark reads\n%swant\n%s", got, want)
	}
}

// Newer releases of Wireshark also know the handshake; what all can show is the bytes.
func TestWiresharkHasNothingToComplainAbout(t *testing.T) {
	capture := written(t, sample(), About{})
	complaints := tshark(t, capture, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
		"-Y", "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed", "-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message")
	if complaints != "" {
		t.Errorf("tshark complains:\n%s", complaints)
	}
	capture[bytes.Index(capture, []byte("IHAVEOPT"))] ^= 1 // what the checksums are for
	if tshark(t, capture, "-o", "tcp.check_checksum:TRUE", "-Y", "tcp.checksum.status == 0", "-T", "fields", "-e", "frame.number") == "" {
		t.Error("a damaged packet has a good checksum")
	}
}

func TestWiresharkShowsCommentsAndTimes(t *testing.T) {
	mark := Mark{Conn: 0, Offset: 28 + 528, Text: "this breaks a clause"}
	got := tshark(t, written(t, sample(), About{Application: "nbdconform test", Marks: []Mark{mark}}),
		"-Y", "frame.comment", "-T", "fields", "-E", "separator=|", "-e", "frame.time_relative", "-e", "nbd.error", "-e", "frame.comment")
	for _, want := range []string{
		"0.000000000||connection 1 of the recording\n",
		"0.008000000|22|this breaks a clause\n",
		"0.011000000||connection 2 of the recording goes over to TLS: what follows is plain text\n",
		"0.016000000||here the client gave up waiting: nothing within 1s\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestAMarkedMessageOpensAPacket(t *testing.T) {
	r := sample()
	r.Events[6].Bytes = bytesOf(r.Events[6].Bytes, reply(0x2b, 22)) // two replies in one read
	mark := Mark{Conn: 0, Offset: 28 + 528, Text: "the second"}
	got := tshark(t, written(t, r, About{Marks: []Mark{mark}}), "-Y", `frame.comment == "the second"`, "-T", "fields", "-e", "nbd.handle", "-e", "nbd.error")
	if got != "0x000000000000002b\t22\n" {
		t.Errorf("the packet with the mark has %q", got)
	}
}

func TestHostileTextsFit(t *testing.T) {
	written(t, sample(), About{Comment: strings.Repeat("\xff\x00", 1<<16), Marks: []Mark{{Text: strings.Repeat("é", 1<<16)}}})
}
