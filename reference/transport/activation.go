package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/mdlayher/vsock"
)

// The environment variables of socket activation, see sd_listen_fds(3).
const (
	listenPID     = "LISTEN_PID"
	listenFDs     = "LISTEN_FDS"
	listenFDNames = "LISTEN_FDNAMES"
)

// firstFD is the first file descriptor that is handed over.
const firstFD = 3

// A Handed is a socket that the process was started with. One of Listener and
// Conn is set.
type Handed struct {
	Name     string       // from LISTEN_FDNAMES, or "unknown"
	Listener net.Listener // a socket that listens
	Conn     net.Conn     // a connection: systemd's Accept=yes
}

// IsActivated reports whether this process was started with sockets.
// Variables that are meant for another process, by LISTEN_PID, don't count.
func IsActivated() bool {
	return os.Getenv(listenPID) == strconv.Itoa(os.Getpid()) && os.Getenv(listenFDs) != ""
}

// Activated takes the sockets that the process was started with, and removes
// the variables that say so. The caller closes what it returns.
func Activated() ([]Handed, error) {
	pid, fds, names := os.Getenv(listenPID), os.Getenv(listenFDs), os.Getenv(listenFDNames)
	for _, v := range []string{listenPID, listenFDs, listenFDNames} {
		_ = os.Unsetenv(v)
	}
	if pid == "" || fds == "" {
		return nil, fmt.Errorf("socket activation: %s and %s are not set: nobody handed a socket over", listenPID, listenFDs)
	}
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, fmt.Errorf("socket activation: %s is %q, and this process is %d: "+
			"the program has to be started directly, or with exec", listenPID, pid, os.Getpid())
	}
	n, err := strconv.Atoi(fds)
	if err != nil || n < 1 || n > 1024 {
		return nil, fmt.Errorf("socket activation: %s is %q, want a number of sockets", listenFDs, fds)
	}
	var given []string
	if names != "" {
		if given = strings.Split(names, ":"); len(given) != n {
			return nil, fmt.Errorf("socket activation: %s has %d names for %d sockets", listenFDNames, len(given), n)
		}
	}
	var list []Handed
	for i := range n {
		h := Handed{Name: "unknown"}
		if given != nil {
			h.Name = given[i]
		}
		if err := h.take(firstFD + i); err != nil {
			for _, o := range list {
				_ = o.Close()
			}
			return nil, fmt.Errorf("socket activation: file descriptor %d (%s): %w", firstFD+i, h.Name, err)
		}
		list = append(list, h)
	}
	return list, nil
}

// Close closes the socket.
func (h Handed) Close() error {
	if h.Listener != nil {
		return h.Listener.Close()
	}
	return h.Conn.Close()
}

// take makes what fd is of it.
func (h *Handed) take(fd int) error {
	kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	if err != nil {
		return fmt.Errorf("it is no socket: %w", err)
	}
	if kind != syscall.SOCK_STREAM {
		return errors.New("it is no stream socket")
	}
	listening, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	if err != nil {
		return err
	}
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), h.Name)
	defer func() { _ = f.Close() }() // what is made of it has its own
	if listening == 0 {
		h.Conn, err = fileConn(f)
		return err
	}
	if h.Listener, err = net.FileListener(f); err != nil {
		l, verr := vsock.FileListener(f)
		if verr != nil {
			return err
		}
		h.Listener = l
	}
	if l, ok := h.Listener.(*net.UnixListener); ok {
		l.SetUnlinkOnClose(false) // whoever made the socket removes it
	}
	return nil
}
