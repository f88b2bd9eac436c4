package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nbdconform/fuzz/gen"
	"nbdconform/reference/nbduri"
	"nbdconform/reference/wire"
)

const mib = 1 << 20

// What hostile clients can make "nbdconform serve" use, in bytes.
const (
	memoryAtRest        = 32*mib + hostileDisk // a client may fill the disk
	memoryPerConnection = 16 << 10             // that haggles
	memoryPerReader     = 96 * mib             // that has requests in flight
	hostileDisk         = 64 * mib
	atOnce              = 8 // clients, where a few are active together
)

// Whatever comes, the server goes on serving others, within its bounds, and is
// as it was when all have gone.
func TestServeSurvivesHostileClients(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		bound  uint64 // of memory, bytes
		attack func(*testing.T, attack)
	}{
		"random bytes":                       {memoryAtRest, randomBytes},
		"nearly valid messages":              {memoryAtRest + atOnce*memoryPerReader, nearlyValid},
		"a session cut at every byte":        {memoryAtRest, cutSessions},
		"lengths up to 4 GiB":                {memoryAtRest, hugeLengths},
		"data that is promised and not sent": {memoryAtRest + 200*memoryPerConnection, emptyPromises},
		"clients that never read":            {memoryAtRest + 2*memoryPerReader, neverRead},
		"half-open connections":              {memoryAtRest + halfOpenWanted*memoryPerConnection, halfOpen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serving(t, "--unix", shortTempDir(t)+"/s", "--size", "64M")
			a := attack{s, parsed(t, s.uri)}
			a.servesOthers(t)
			pid := s.cmd.Process.Pid
			rest := descriptors(t, pid)

			tc.attack(t, a)

			a.servesOthers(t)
			eventually(t, "the descriptors are closed", func() bool { return descriptors(t, pid) <= rest })
			if used := peakMemory(t, pid); used > tc.bound {
				t.Errorf("it used %d MiB of memory, want at most %d", used/mib, tc.bound/mib)
			} else {
				t.Logf("it used %d MiB of memory of %d", used/mib, tc.bound/mib)
			}
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if o := s.end(); o.status != 0 || o.stderr != "" {
				t.Errorf("status %d, stderr:\n%s", o.status, o.stderr)
			}
		})
	}
}

// An attack is what goes against a service.
type attack struct {
	service
	at nbduri.URI
}

func parsed(t *testing.T, uri string) nbduri.URI {
	t.Helper()
	u, _, err := nbduri.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (a attack) dial(t *testing.T) *net.UnixConn {
	t.Helper()
	conn, err := a.at.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.UnixConn)
}

// servesOthers fails the test unless a decent client is served as always.
func (a attack) servesOthers(t *testing.T) {
	t.Helper()
	c := connect(t, a.uri)
	b := []byte("a decent client was here")
	if err := c.WriteAt(t.Context(), b, 4096, 0); err != nil {
		t.Fatalf("a decent client: %v", err)
	}
	if err := c.ReadAt(t.Context(), b, 4096, 0); err != nil || !strings.HasPrefix(string(b), "a decent") {
		t.Fatalf("a decent client reads %q, %v", b, err)
	}
	if err := c.Disconnect(t.Context()); err != nil {
		t.Fatalf("a decent client: %v", err)
	}
}

// say sends bytes, ends its direction and reads until the server hangs up.
func (a attack) say(t *testing.T, b []byte) {
	t.Helper()
	conn := a.dial(t)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	var answers sync.WaitGroup
	answers.Go(func() {
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the server stays behind %d bytes: % x ...", len(b), b[:min(64, len(b))])
		}
	})
	_, _ = conn.Write(b) // it may have hung up
	_ = conn.CloseWrite()
	answers.Wait()
}

// several calls f for 0 to n-1, a few at once.
func several(n int, f func(int)) {
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := range n {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			f(i)
		})
	}
	all.Wait()
}

// The openings that get a client to three depths.
func openings() [][]byte {
	flags := (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Append(nil)
	sr := wire.OptionRequest{Option: wire.OptStructuredReply}.Append(flags)
	enter := wire.OptionRequest{Option: wire.OptGo, Data: wire.InfoRequest{Infos: []wire.InfoType{wire.InfoBlockSize}}.Append(nil)}.Append(sr)
	return [][]byte{nil, flags, enter}
}

func randomBytes(t *testing.T, a attack) {
	several(300, func(i int) {
		c := rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)})
		junk := make([]byte, 1+c.Uint64()%8192)
		_, _ = c.Read(junk)
		open := openings()
		a.say(t, append(open[i%len(open)], junk...))
	})
}

func nearlyValid(t *testing.T, a attack) {
	several(300, func(i int) {
		g := gen.New(int64(i))
		open := openings()
		b := open[1+i%2]
		for range 20 {
			if i%2 == 0 {
				b = gen.Make[wire.OptionRequest](g, gen.KindOf(uint8(i))).Append(b)
			} else {
				b = gen.Make[wire.Request](g, gen.KindOf(uint8(i))).Append(b)
			}
		}
		a.say(t, b)
	})
}

// wholeSession is a session with most of what a client can say.
func wholeSession() []byte {
	b := (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Append(nil)
	contexts := wire.MetaContextRequest{Export: "disk", Queries: []string{"base:allocation"}}.Append(nil)
	info := wire.InfoRequest{Export: "disk", Infos: []wire.InfoType{wire.InfoBlockSize, wire.InfoDescription}}.Append(nil)
	for _, o := range []wire.OptionRequest{
		{Option: wire.OptList},
		{Option: wire.OptStructuredReply},
		{Option: wire.OptListMetaContext, Data: contexts},
		{Option: wire.OptSetMetaContext, Data: contexts},
		{Option: wire.OptInfo, Data: info},
		{Option: wire.OptGo, Data: info},
	} {
		b = o.Append(b)
	}
	for i, r := range []wire.Request{
		{Type: wire.CmdWrite, Length: 64}, {Type: wire.CmdRead, Length: 64}, {Type: wire.CmdBlockStatus, Length: 4096}, {Type: wire.CmdDisc},
	} {
		r.Cookie = uint64(i)
		b = r.Append(b)
		if r.Type == wire.CmdWrite {
			b = append(b, make([]byte, r.Length)...)
		}
	}
	return b
}

func cutSessions(t *testing.T, a attack) {
	whole := wholeSession()
	several(2*len(whole), func(i int) {
		if i%2 == 0 {
			a.say(t, whole[:i/2])
			return
		}
		conn := a.dial(t) // and one that goes without a look back
		_, _ = conn.Write(whole[:i/2])
		_ = conn.Close()
	})
}

func hugeLengths(t *testing.T, a attack) {
	open := openings()
	var said [][]byte
	for _, n := range []uint32{1<<32 - 1, 1 << 31, 1<<31 - 1, 1 << 27} {
		for o := range uint32(12) {
			said = append(said, wire.OptionHeader{Option: wire.Option(o), Length: n}.Append(open[1]))
		}
		for c := range uint16(10) {
			said = append(said, wire.Request{Type: wire.Command(c), Length: uint64(n), Offset: 1<<64 - 1}.Append(open[2]))
			said = append(said, wire.Request{Type: wire.Command(c), Length: uint64(n)}.Append(open[2]))
		}
	}
	several(len(said), func(i int) { a.say(t, append(said[i], make([]byte, 100)...)) })
}

// emptyPromises announces data of the largest size that is read, and stays.
func emptyPromises(t *testing.T, a attack) {
	open := openings()
	var conns []net.Conn
	for i := range 200 {
		conn := a.dial(t)
		conns = append(conns, conn)
		b := wire.OptionHeader{Option: wire.OptInfo, Length: 64 << 10}.Append(open[1])
		if i%2 == 0 {
			b = wire.OptionHeader{Option: wire.OptInfo, Length: 64 << 20}.Append(open[1])
		}
		if _, err := conn.Write(append(b, make([]byte, 1000)...)); err != nil {
			t.Error(err)
		}
	}
	a.servesOthers(t)
	for _, c := range conns {
		_ = c.Close()
	}
}

// neverRead asks for as much as can be had, again and again, and reads nothing.
func neverRead(t *testing.T, a attack) {
	fill(t, a.uri)
	var conns []net.Conn
	for range 2 {
		conn := a.dial(t)
		conns = append(conns, conn)
		if _, err := conn.Write(openings()[2]); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		var err error
		for i := uint64(0); err == nil; i++ {
			_, err = conn.Write(wire.Request{Type: wire.CmdRead, Cookie: i, Length: 32 * mib}.Append(nil))
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) { // the server takes no more
			t.Errorf("sending requests without an end: %v", err)
		}
	}
	a.servesOthers(t)
	for _, c := range conns {
		_ = c.Close()
	}
}

const halfOpenWanted = 10000

// halfOpen opens connections and leaves them between the greeting and the flags.
func halfOpen(t *testing.T, a attack) {
	n := halfOpenWanted
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if most := int(limit.Cur) - 500; most < n { // the Go runtime has raised it as far as it goes
		t.Logf("%d connections instead of %d: RLIMIT_NOFILE is %d", most, n, limit.Cur)
		n = most
	}
	conns := make([]net.Conn, n)
	several(n, func(i int) {
		conns[i] = a.dial(t)
		if _, err := io.ReadFull(conns[i], make([]byte, wire.GreetingSize)); err != nil {
			t.Errorf("connection %d is not greeted: %v", i, err)
		}
	})
	a.servesOthers(t)
	for _, c := range conns {
		_ = c.Close()
	}
}

// descriptors counts the open files of a process.
func descriptors(t *testing.T, pid int) int {
	t.Helper()
	list, err := os.ReadDir(procFile(pid, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// peakMemory is the most that a process had of memory at once, in bytes.
func peakMemory(t *testing.T, pid int) uint64 {
	t.Helper()
	status, err := os.ReadFile(procFile(pid, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal(fmt.Errorf("no VmHWM in %s", status))
	return 0
}
