package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A serverProgram is one of the servers that are compared.
type serverProgram struct {
	name        string // what tables call it
	program     string // the executable
	export      string // name of its export
	versionFlag string // has the program print its version
	scale       bool   // keeps no data, and is shown for scale
	// command returns the shell commands that start it in the present
	// directory, in the foreground or leaving its process id in the file "pid".
	command func(network, address string, size int) string
}

// The names of the reference server and of the one that all are compared with.
const (
	referenceServer = "reference"
	baselineServer  = "nbdkit"
)

// serverPrograms are all servers; self is the path of this program.
func serverPrograms(self string) []serverProgram {
	nbdkit := func(plugin string) func(string, string, int) string {
		return func(network, address string, size int) string {
			return fmt.Sprintf("exec nbdkit -f %s %s %d", place(network, address, "-U", "-i", "-p"), plugin, size)
		}
	}
	qemu := func(image string) func(string, string, int) string {
		return func(network, address string, size int) string {
			at := place(network, address, "-k", "-b", "-p")
			return fmt.Sprintf("truncate -s %d disk\nexec qemu-nbd -t -e 16 %s %s", size, at, fmt.Sprintf(image, size))
		}
	}
	return []serverProgram{
		{name: referenceServer, program: self, versionFlag: "--version", command: func(network, address string, size int) string {
			flag := "--listen"
			if network == "unix" {
				flag = "--unix"
			}
			return fmt.Sprintf("exec '%s' serve %s %s --size %d >/dev/null", self, flag, address, size)
		}},
		{name: baselineServer, program: "nbdkit", versionFlag: "--version", command: nbdkit("memory")},
		{name: "qemu-nbd", program: "qemu-nbd", versionFlag: "--version", command: qemu("-f raw disk #%d")},
		{name: "nbd-server", program: "nbd-server", export: "disk", versionFlag: "-V", command: nbdServer},
		{name: "null", program: "nbdkit", versionFlag: "--version", scale: true, command: nbdkit("null")},
		{name: "null-co", program: "qemu-nbd", versionFlag: "--version", scale: true, command: qemu("--image-opts driver=null-co,size=%d")},
	}
}

// place is where to listen, in the flags of a program.
func place(network, address, socket, host, port string) string {
	if network == "unix" {
		return socket + " " + address
	}
	h, p, _ := net.SplitHostPort(address)
	return host + " " + h + " " + port + " " + p
}

// nbdServer stays in the background, as releases before 3.26 can do nothing else.
func nbdServer(network, address string, size int) string {
	at := "unixsock = " + address
	if network != "unix" {
		h, p, _ := net.SplitHostPort(address)
		at = "listenaddr = " + h + "\nport = " + p
	}
	return fmt.Sprintf("truncate -s %d disk\ncat >conf <<END\n[generic]\nallowlist = true\n%s\n[disk]\nexportname = $PWD/disk\nEND\n"+
		`nbd-server -C conf -p "$PWD/pid"`, size, at)
}

// A running server.
type running struct {
	serverProgram
	network, address string
	cmd              *exec.Cmd
	stdin            io.Closer // once it is closed, or this process is gone, the server ends
	dir              string
	stderr           strings.Builder
}

// start starts c below dir and waits until it accepts connections.
func (c serverProgram) start(ctx context.Context, dir, network string, size int) (*running, error) {
	s := &running{serverProgram: c, network: network, dir: filepath.Join(dir, network+"-"+c.name)}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	s.address = filepath.Join(s.dir, "s")
	if network != "unix" {
		l, err := net.Listen(network, "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		s.address = l.Addr().String()
		_ = l.Close()
	}
	if err := s.launch(c.command(network, s.address, size)); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		nc, err := net.Dial(network, s.address)
		if err == nil {
			_ = nc.Close()
			return s, nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			err = errors.Join(err, ctx.Err())
			s.stop()
			return nil, fmt.Errorf("starting %s: %w; stderr: %s", c.name, err, s.stderr.String())
		}
	}
}

// untilStdinCloses is a shell script around the commands that start a server. It ends
// the server, and removes its files from memory, when its input ends: that
// happens too when the process that started it is killed.
const untilStdinCloses = `(
%s
) &
read -r _ || :
kill $! 2>/dev/null || :
[ ! -s pid ] || kill "$(cat pid)" || :
wait
rm -rf "$PWD"
`

// launch runs the commands in the directory of s.
func (s *running) launch(commands string) error {
	s.cmd = exec.Command("sh", "-ec", fmt.Sprintf(untilStdinCloses, commands))
	s.cmd.Dir, s.cmd.Stderr = s.dir, &s.stderr
	s.cmd.WaitDelay = time.Second // for a server that goes into the background
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	s.stdin = stdin
	return s.cmd.Start()
}

// stop ends the server.
func (s *running) stop() {
	_ = s.stdin.Close()
	kill := time.AfterFunc(5*time.Second, func() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) })
	_ = s.cmd.Wait()
	kill.Stop()
}

func (s *running) uri() string {
	if s.network == "unix" {
		return "nbd+unix:///" + s.export + "?socket=" + s.address
	}
	return "nbd://" + s.address + "/" + s.export
}
