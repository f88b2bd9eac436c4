package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair is a socket and the other end of it.
func pair(t *testing.T, spin time.Duration) (*Socket, net.Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if ends[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	released := 0
	s := Take(ends[0], spin, func() { released++ })
	if s == nil {
		t.Fatal("no socket")
	}
	t.Cleanup(func() {
		_ = s.Close()
		_ = ends[1].Close()
		if released != 1 {
			t.Errorf("released %d times", released)
		}
	})
	return s, ends[1]
}

// pattern is n bytes that differ from place to place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>8) ^ byte(i) | 1
	}
	return b
}

func TestBothDirections(t *testing.T) {
	s, far := pair(t, 20*time.Microsecond)
	data := pattern(3 << 20)
	go func() { _, _ = far.Write(data) }()
	got := make([]byte, len(data))
	if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("reading: %v, or other bytes", err)
	}
	sent := make(chan error, 1)
	go func() {
		var parts net.Buffers // more than the kernel takes at once, and more than fits
		for i := 0; i < len(data); i += 1 << 10 {
			parts = append(parts, data[i:i+1<<10])
		}
		sent <- s.WriteAll(parts)
	}()
	if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("writing: %v, or other bytes", err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	_ = far.Close()
	if n, err := s.Read(got); n != 0 || err != io.EOF {
		t.Errorf("%d, %v at the end", n, err)
	}
}

func TestCloseEndsAllWaiting(t *testing.T) {
	wait := map[string]func(*Socket) error{
		"read":  func(s *Socket) error { _, err := s.Read(make([]byte, 1)); return err },
		"write": func(s *Socket) error { _, err := s.Write(make([]byte, 64<<20)); return err },
		"writev": func(s *Socket) error {
			return s.WriteAll(net.Buffers{make([]byte, 64<<20), make([]byte, 64<<20)})
		},
	}
	for name, waits := range wait {
		t.Run(name, func(t *testing.T) {
			s, _ := pair(t, 20*time.Microsecond)
			ended := make(chan error, 1)
			go func() { ended <- waits(s) }()
			time.Sleep(20 * time.Millisecond) // so that it does wait
			_ = s.Close()
			if err := <-ended; err == nil {
				t.Error("no error")
			}
			if err := waits(s); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v after that", err)
			}
		})
	}
}

// A receiver is told when nothing arrives, for its buffer to be given back.
func TestReceiveTellsWhenNothingArrives(t *testing.T) {
	s, far := pair(t, 20*time.Microsecond)
	var got []byte
	tries := 0
	err := s.Receive(func(fd uintptr) bool {
		b := make([]byte, 8)
		n, err := syscall.Read(int(fd), b)
		if tries++; tries == 1 {
			if err != syscall.EAGAIN {
				t.Errorf("%d, %v with nothing to read", n, err)
			}
			_, _ = far.Write([]byte("late"))
			return false
		}
		got = b[:max(n, 0)]
		return true
	})
	if err != nil || tries != 2 || string(got) != "late" {
		t.Errorf("%q after %d tries: %v", got, tries, err)
	}
}

func TestReadableWaitsForTheSpinOnly(t *testing.T) {
	s, far := pair(t, 50*time.Millisecond)
	began := time.Now()
	if s.Readable() || time.Since(began) < 50*time.Millisecond {
		t.Errorf("readable, or not after %v", time.Since(began))
	}
	time.AfterFunc(time.Millisecond, func() { _, _ = far.Write([]byte{1}) })
	if !s.Readable() {
		t.Error("not readable although a byte has arrived")
	}
	_ = s.Close()
	if s.Readable() {
		t.Error("readable after Close")
	}
}

// After spinning saw nothing arrive it is skipped, twice as often each time.
func TestSpinningIsSkippedWhereItDoesNotHelp(t *testing.T) {
	s, far := pair(t, time.Microsecond)
	try := func(fd uintptr) bool { return true }
	for want := 2; want <= 8; want *= 2 {
		_ = s.Receive(try)
		if s.skip != want {
			t.Fatalf("skips %d, want %d", s.skip, want)
		}
		for range want {
			_ = s.Receive(try)
		}
	}
	s.spin = time.Second
	_, _ = far.Write([]byte{1})
	if _ = s.Receive(try); s.skip != 0 || s.missed != 0 {
		t.Errorf("skips %d after a byte arrived", s.skip)
	}
}

func TestOnlySocketsAreTaken(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if Take(a, 0, func() {}) != nil {
		t.Error("a pipe was taken")
	}
}

func TestVectorFillsTheLastPlaceAfterTheOthers(t *testing.T) {
	s, far := pair(t, 0)
	_, _ = far.Write([]byte("abcdefg"))
	var v Vector
	parts := [][]byte{make([]byte, 2), make([]byte, 3)}
	last := make([]byte, 8)
	if n, err := v.Read(s.fd, parts, last); n != 7 || err != nil {
		t.Fatal(n, err)
	}
	if got := string(parts[0]) + "," + string(parts[1]) + "," + string(last[:2]); got != "ab,cde,fg" {
		t.Error(got)
	}
}

func TestTheLoopbackIsNotPaced(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := Take(near, 0, func() {})
	if s == nil {
		t.Fatal("no socket")
	}
	defer s.Close()
	name, err := unix.GetsockoptString(s.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	if err != nil || name != "reno" { // which every Linux has
		t.Errorf("%q, %v", name, err)
	}
}
