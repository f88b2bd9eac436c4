//go:build linux && (amd64 || arm64)

package nbduri

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/ebitengine/purego"
)

// A libnbd is the part of the library that has to do with URIs.
type libnbd struct {
	create      func() uintptr
	close       func(h uintptr)
	allowFile   func(h uintptr, allow bool) int32
	connect     func(h uintptr, uri string) int32
	errno       func() int32
	lastError   func() string
	uri         func(h uintptr) string
	export      func(h uintptr) string
	user        func(h uintptr) string
	tls, verify func(h uintptr) int32
	version     func(h uintptr) string
}

func loadLibnbd(t *testing.T) *libnbd {
	t.Helper()
	lib, err := purego.Dlopen("libnbd.so.0", purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		t.Skipf("libnbd is not installed: %v", err)
	}
	l := &libnbd{}
	for name, f := range map[string]any{
		"nbd_create": &l.create, "nbd_close": &l.close, "nbd_set_uri_allow_local_file": &l.allowFile,
		"nbd_aio_connect_uri": &l.connect, "nbd_get_errno": &l.errno, "nbd_get_error": &l.lastError,
		"nbd_get_uri": &l.uri, "nbd_get_export_name": &l.export, "nbd_get_tls_username": &l.user,
		"nbd_get_tls": &l.tls, "nbd_get_tls_verify_peer": &l.verify, "nbd_get_version": &l.version,
	} {
		purego.RegisterLibFunc(f, lib, name)
	}
	return l
}

// A reading is what a parser makes of a URI.
type reading struct {
	refused string // why, or ""
	place   string // where to connect to
	export  string
	user    string
	tls     bool // is required
	verify  bool // not switched off
}

func (r reading) String() string {
	if r.refused != "" {
		return "refused"
	}
	return fmt.Sprintf("%s export %q user %q tls %v verify %v", r.place, r.export, r.user, r.tls, r.verify)
}

func ours(s string) reading {
	u, _, err := Parse(s)
	if err != nil {
		return reading{refused: err.Error()}
	}
	_, place := u.Address()
	return reading{"", place, u.Export, u.User, u.TLS, u.TLSVerifyPeer != VerifyNever}
}

// The places where libnbd says where it tries to connect to.
var (
	notResolved  = regexp.MustCompile(`getaddrinfo: hostname "(.*)" port "(.*)"`)
	notConnected = regexp.MustCompile(`connect: (.*):(\d+): could not connect`)
)

// theirs has libnbd start to connect. What its parser refuses fails with
// EINVAL or, where a name is too long, ENAMETOOLONG; otherwise the URI that it has for the handle, or the error, says
// where to.
func (l *libnbd) theirs(s string) reading {
	runtime.LockOSThread() // errors are kept for each thread
	defer runtime.UnlockOSThread()
	h := l.create()
	defer l.close(h)
	l.allowFile(h, true)
	failed := l.connect(h, s) < 0
	errno, text := syscall.Errno(l.errno()), l.lastError()
	if failed && (errno == syscall.EINVAL || errno == syscall.ENAMETOOLONG) {
		return reading{refused: text}
	}
	r := reading{export: l.export(h), tls: l.tls(h) == 2, verify: l.verify(h) != 0}
	if strings.Contains(s, "@") { // otherwise it is the local user
		r.user = l.user(h)
	}
	if m := notResolved.FindStringSubmatch(text); failed && m != nil {
		r.place = m[1] + ":" + m[2]
	} else if m := notConnected.FindStringSubmatch(text); failed && m != nil {
		r.place = m[1] + ":" + m[2]
		if strings.Contains(m[1], ":") {
			r.place = "[" + m[1] + "]:" + m[2]
		}
	} else {
		r.place = l.place(h)
	}
	return r
}

// place is where the handle's own URI leads. That is not always one that can
// be parsed: it has the zone of an address and what is in paths as they are.
func (l *libnbd) place(h uintptr) string {
	uri := l.uri(h)
	_, socket, ok := strings.Cut(uri, "socket=")
	if ok {
		socket, _, _ = strings.Cut(socket, "&tls-")
		return socket
	}
	_, rest, _ := strings.Cut(uri, "://")
	rest, _, _ = strings.Cut(rest, "/")
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

// TestAgainstLibnbd has libnbd parse what we parse. Every difference is one of
// those below.
func TestAgainstLibnbd(t *testing.T) {
	l := loadLibnbd(t)
	h := l.create()
	version := l.version(h)
	l.close(h)
	t.Log("libnbd ", version)
	differ := map[string]difference{}
	for _, d := range differences {
		if _, ok := differ[d.uri]; ok {
			t.Errorf("%s is there twice", d.uri)
		}
		differ[d.uri] = d
	}
	seen := map[string]bool{}
	for _, s := range comparedURIs() {
		seen[s] = true
		our, their := ours(s), l.theirs(s)
		d, expected := differ[s]
		switch same := our.String() == their.String(); {
		case same && expected && strings.HasPrefix(version, "1.14."):
			t.Errorf("%s: no difference any more: %v", s, our)
		case same:
		case !expected:
			t.Errorf("%s:\n ours   %v (%s)\n libnbd %v (%s)", s, our, our.refused, their, their.refused)
		case our.String() != d.ours:
			t.Errorf("%s: ours is %v, want %v: %s", s, our, d.ours, d.decides)
		case their.String() != d.libnbd && strings.HasPrefix(version, "1.14."):
			t.Errorf("%s: libnbd's is %v, want %v", s, their, d.libnbd)
		}
	}
	for _, d := range differences {
		if !seen[d.uri] {
			t.Errorf("%s is not compared", d.uri)
		}
	}
}

// comparedURIs are those of the other tests, and more.
func comparedURIs() (list []string) {
	for _, tt := range parseTests {
		list = append(list, tt.in)
	}
	for _, tt := range parseErrorTests {
		if !strings.ContainsRune(tt.in, 0) {
			list = append(list, tt.in)
		}
	}
	return append(list,
		"nbds://alice@127.0.0.1:1/?tls-type=psk", "nbds://127.0.0.1:1/?tls-type=anon", "nbd://127.0.0.1:1/?tls-verify-peer=0",
		"nbd+unix:e", "nbd+unix:///?SOCKET=s", "nbd+unix:///?socket", "nbd+unix:///a%2Fb?socket=%2Ftmp%2Fs",
		"nbd+unix:///a/b/../c?socket=/tmp/s", "nbd+unix:////a?socket=/tmp/s", "nbd+unix:///a;b?socket=s",
		"nbd+unix:///?%73ocket=s", "nbd+unix://?socket=s", "nbd+unix:///?a=b&socket=s", "nbd+unix:///?socket=s#t",
		"nbd+tcp://h/", "nbd+ssh://h/", "://h/", "nbd", "nbd//h", "nbd://h:-1/", "nbd://h:1:2/", "nbd://a b/", "nbd://h%20i/", "nbd://l%6Fcalhost:1/",
		"nbd://h/%E2%82%AC", "nbd://h/a%20b/c", "nbd://h/.", "nbd://h/..", "nbd://h/~a!$&'()*,;=:@",
		"nbd://h/a%2", "nbd://h/%", "nbd://h/?", "nbd://h?", "nbd://h#", "nbd://h?x-a=/", "nbd://[::1]:1", "nbd://[::]:1/", "nbd://[1/",
		"nbd://0/", "nbd+vsock://1:1/", "nbds+vsock://3:10809/e%20f", "nbd+vsock://-1/", "nbd+vsock://4294967295:1/")
}
