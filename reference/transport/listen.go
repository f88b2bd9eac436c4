package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/mdlayher/vsock"

	"nbdconform/reference/nbduri"
)

// An Address is a place to listen at. Exactly one field is set.
type Address struct {
	TCP   string // host:port; port 0 is any that is free
	Unix  string // a path, or @ and a name in the abstract namespace
	Vsock string // port, or cid:port; without a cid all that this machine has
}

func (a Address) String() string {
	switch {
	case a.Unix != "":
		return "unix " + a.Unix
	case a.Vsock != "":
		return "vsock " + a.Vsock
	}
	return "tcp " + a.TCP
}

// Listen opens the socket. Connections of TCP have Nagle's algorithm off.
func (a Address) Listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig // sets TCP_NODELAY where it accepts
	switch {
	case a.Vsock != "":
		cid, port, err := parseVsock(a.Vsock)
		if err != nil {
			return nil, err
		}
		l, err := vsock.ListenContextID(cid, port, nil)
		if err != nil {
			return nil, nbduri.VsockError("listening at vsock "+a.Vsock, err)
		}
		return l, nil
	case a.Unix == "@": // the kernel would make up a name, which no URI has
		return nil, errors.New("listen unix @: there is no name behind the @")
	case a.Unix != "":
		l, err := lc.Listen(ctx, "unix", a.Unix)
		return l, inTheWay(a.Unix, nbduri.UnixError(a.Unix, err))
	}
	if _, _, err := net.SplitHostPort(a.TCP); err != nil {
		return nil, fmt.Errorf("listen tcp %s: want HOST:PORT, such as localhost:10809 or [::1]:10809", a.TCP)
	}
	return lc.Listen(ctx, "tcp", a.TCP)
}

// inTheWay says what is at the path of a socket that can't be opened.
func inTheWay(path string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	what := "another server is there, or one left it behind: remove it if that is gone, or name another path"
	if info, stat := os.Stat(path); stat == nil && info.Mode()&os.ModeSocket == 0 {
		what = path + " is no socket: name another path"
	}
	return fmt.Errorf("%w: %s", err, what)
}

// anyCID is VMADDR_CID_ANY.
const anyCID = 1<<32 - 1

func parseVsock(s string) (cid, port uint32, err error) {
	id, number, both := strings.Cut(s, ":")
	if !both {
		id, number = strconv.FormatUint(anyCID, 10), s
	}
	c, err1 := strconv.ParseUint(id, 10, 32)
	p, err2 := strconv.ParseUint(number, 10, 32)
	if errors.Join(err1, err2) != nil {
		return 0, 0, fmt.Errorf("vsock address %q: want PORT or CID:PORT, each less than 2^32", s)
	}
	return uint32(c), uint32(p), nil
}

// URI is how clients on this machine reach the address of a listener. A
// listener at all addresses is reached by localhost.
func URI(a net.Addr, secure bool) nbduri.URI {
	u := nbduri.URI{TLS: secure}
	switch a := a.(type) {
	case *net.UnixAddr:
		u.Transport, u.Socket = nbduri.Unix, a.Name
		if name, ok := strings.CutPrefix(a.Name, "@"); ok { // as package net has abstract names
			u.Socket = "\x00" + name
		}
	case *vsock.Addr:
		u.Transport, u.Port = nbduri.Vsock, a.Port
		u.Host = strconv.FormatUint(uint64(a.ContextID), 10)
		if a.ContextID == anyCID {
			u.Host = strconv.Itoa(vsock.Local)
		}
	case *net.TCPAddr:
		u.Host, u.Port = nbduri.DefaultHost, uint32(a.Port)
		if !a.IP.IsUnspecified() {
			u.Host = (&net.IPAddr{IP: a.IP, Zone: a.Zone}).String()
		}
	}
	return u
}
