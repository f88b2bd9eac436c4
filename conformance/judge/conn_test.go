package judge

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// TestDecrypted keeps the handshake from the judge, and shows it the plain text.
func TestDecrypted(t *testing.T) {
	c := &conversation{}
	c.hello()
	c.opt(wire.OptStartTLS, "")
	c.ack(wire.OptStartTLS)
	j := c.tell(1 << 20)
	j.Decrypted()
	j.FromClient(wire.OptionRequest{Option: wire.OptStartTLS}.Append(nil))
	j.FromServer(wire.OptionReply{Option: wire.OptStartTLS, Type: wire.RepAck}.Append(nil))
	var got []clause.ID
	for _, v := range j.Violations() {
		got = append(got, v.Clause)
	}
	if want := []clause.ID{"tls.client.starttls.again", "tls.forced.starttls.again"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	j = New(Options{})
	j.Decrypted() // too early: no effect
	j.FromServer(wire.Greeting{Flags: wire.FlagFixedNewstyle}.Append(nil))
	if v := j.Violations(); len(v) > 0 {
		t.Errorf("got %v", v)
	}
}

// A client that leaves as soon as TLS is up may not like the certificate. One
// that has said something within TLS does.
func TestLeavingAtTheSightOfACertificateIsNoHangUp(t *testing.T) {
	for said, want := range map[bool]int{false: 0, true: 1} {
		c := &conversation{}
		c.hello()
		c.opt(wire.OptStartTLS, "")
		c.ack(wire.OptStartTLS)
		j := c.tell(1 << 20)
		j.Decrypted()
		if said {
			j.FromClient(wire.OptionRequest{Option: wire.OptList}.Append(nil))
			j.FromServer(wire.OptionReply{Option: wire.OptList, Type: wire.RepAck}.Append(nil))
		}
		j.ClientClosed(nil)
		if got := j.Violations(); len(got) != want || want > 0 && got[0].Clause != "haggling.hard.unjustified.client" {
			t.Errorf("said something: %v: got %v", said, got)
		}
	}
}

func TestConnTellsTheJudge(t *testing.T) {
	defer goleak.VerifyNone(t)
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		_, _ = far.Write(wire.Greeting{Flags: bothServer}.Append(nil))
		_, _ = io.ReadFull(far, make([]byte, wire.ClientFlagsSize+wire.OptionHeaderSize))
		_, _ = far.Write(wire.OptionReply{Option: wire.OptAbort, Type: wire.RepErrPolicy}.Append(nil))
	}()
	j := New(Options{})
	c := Conn(near, j)
	if _, err := io.ReadFull(c, make([]byte, wire.GreetingSize)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(wire.OptionRequest{Option: wire.OptAbort}.Append(bothClient.Append(nil))); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"server opt.abort.ack"}, verdicts(j)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, j.Transcript())
	}
	if got := j.Transcript().String(); strings.Count(got, "closes") != 2 {
		t.Errorf("both directions should end:\n%s", got)
	}
}

func TestJudgeIsSafeForConcurrentUse(t *testing.T) {
	c := &conversation{}
	c.fragments(all)
	j := c.tell(1 << 20)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				j.FromClient(command(wire.CmdFlush, 0, 0, 0).Append(nil))
				j.FromServer(wire.SimpleReply{Cookie: 1}.Append(nil))
				_, _, _ = j.Violations(), j.Exercised(), j.Transcript().String()
				_, _ = j.Lost()
			}
		})
	}
	wg.Wait()
}

func TestTranscript(t *testing.T) {
	c := &conversation{}
	c.fragments(all)
	c.ask(read(4096))
	c.data(0, 1, 0, 2048)
	c.none(1)
	c.disc()
	want := `S:        0  greeting flags FIXED_NEWSTYLE|NO_ZEROES
C:        0  client flags FIXED_NEWSTYLE|NO_ZEROES
C:        4  NBD_OPT_STRUCTURED_REPLY length 0
S:       18  NBD_REP_ACK to NBD_OPT_STRUCTURED_REPLY length 0
C:       20  NBD_OPT_GO "disk" requests []
S:       38  NBD_REP_INFO NBD_INFO_EXPORT size 1048576 flags HAS_FLAGS|SEND_FLUSH|SEND_FUA|SEND_TRIM|SEND_WRITE_ZEROES|SEND_CACHE
S:       70  NBD_REP_ACK to NBD_OPT_GO length 0
C:       46  NBD_CMD_READ flags 0 cookie 0x1 offset 0 length 4096
S:       90  NBD_REPLY_TYPE_OFFSET_DATA flags 0 cookie 0x1 length 2056: 2048 bytes at 0
S:     2166  NBD_REPLY_TYPE_NONE flags DONE cookie 0x1 length 0
!! server breaks cmd.read.cover: the reply ends without an error, and its content chunks are about 2048 of 4096 bytes
   00000000  66 8e 33 ef 00 01 00 00  00 00 00 00 00 00 00 01  |f.3.............|
   00000010  00 00 00 00                                       |....|
C:       74  NBD_CMD_DISC flags 0 cookie 0xd15c offset 0 length 0
S:     2186  closes
C:      102  closes
`
	j := c.tell(1 << 20)
	if diff := cmp.Diff(want, j.Transcript().String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	v := j.Violations()[0]
	m := j.Transcript().Messages[v.Message]
	if m.Offset != v.Offset || m.Side != clause.Server || m.Length != wire.ChunkSize {
		t.Errorf("violation %v points at %+v", v, m)
	}
}

func TestTranscriptDropsMessagesAndKeepsTheBrokenOnes(t *testing.T) {
	c := &conversation{opts: Options{Messages: 8}}
	c.plain(all)
	c.ask(command(wire.CmdFlush, 0, 0, 0))
	c.simple(1, wire.ENOTSUP, 0)
	for range 100 {
		c.ask(read(512))
		c.simple(1, 0, 512)
	}
	got := c.tell(100).Transcript()
	if len(got.Messages) != 9 || got.Dropped != 7+200-9 {
		t.Errorf("%d messages, %d dropped", len(got.Messages), got.Dropped)
	}
	if text := got.String(); !strings.Contains(text, "NBD_ENOTSUP") || !strings.Contains(text, "messages dropped") {
		t.Errorf("the broken message is not kept:\n%s", text)
	}
}

func TestLost(t *testing.T) {
	c := &conversation{}
	c.plain(all)
	c.ask(read(512))
	c.ask(wire.Request{Type: wire.CmdRead, Cookie: 2, Length: 512})
	c.simple(3, 0, 512)
	c.simple(1, 0, 512)
	j := c.tell(7)
	if got, ok := j.Lost(); !ok || got != "trans.cookie.echo" {
		t.Errorf("Lost() = %q, %v", got, ok)
	}
	if diff := cmp.Diff([]string{"server trans.cookie.echo"}, verdicts(j)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
