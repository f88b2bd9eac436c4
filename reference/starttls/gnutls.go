//go:build (linux || freebsd || darwin) && (amd64 || arm64) && !nopsk

package starttls

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Values of gnutls.h.
const (
	gnutlsServer   = 1 << 0
	gnutlsClient   = 1 << 1
	gnutlsNonblock = 1 << 3
	gnutlsAnon     = 2 // GNUTLS_CRD_ANON
	gnutlsPSK      = 4 // GNUTLS_CRD_PSK
	gnutlsKeyHex   = 1 // GNUTLS_PSK_KEY_HEX
	gnutlsShutWR   = 1
	gnutlsMedium   = 35 // GNUTLS_SEC_PARAM_MEDIUM

	gnutlsAgain     = -28  // GNUTLS_E_AGAIN
	gnutlsPremature = -110 // GNUTLS_E_PREMATURE_TERMINATION
)

// What each way of authentication allows: TLS 1.2 and what came after it, with
// the ways to use a pre-shared key that all peers have; or TLS 1.2, the last
// that can do without authentication.
const (
	pskPriority  = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-PSK:+DHE-PSK:+PSK"
	anonPriority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH:+ANON-DH"
)

// A gnutls is the part of the library that is used here.
type gnutls struct {
	init           func(session *uintptr, flags uint32) int32
	deinit         func(session uintptr)
	priority       func(session uintptr, priorities string, errPos *uintptr) int32
	setPtr         func(session, ptr uintptr)
	setPush        func(session, f uintptr)
	setPull        func(session, f uintptr)
	setErrno       func(session, f uintptr)
	setCreds       func(session uintptr, kind int32, creds uintptr) int32
	handshake      func(session uintptr) int32
	send           func(session uintptr, b *byte, n uintptr) int
	recv           func(session uintptr, b *byte, n uintptr) int
	bye            func(session uintptr, how int32) int32
	strerror       func(code int32) string
	fatal          func(code int32) int32
	version        func(session uintptr) int32
	versionName    func(version int32) string
	newServer      func(creds *uintptr) int32
	freeServer     func(creds uintptr)
	serverFile     func(creds uintptr, file string) int32
	newClient      func(creds *uintptr) int32
	freeClient     func(creds uintptr)
	clientKey      func(creds uintptr, name string, key *datum, flags int32) int32
	newAnonServer  func(creds *uintptr) int32
	dropAnonServer func(creds uintptr)
	anonParams     func(creds uintptr, level int32) int32
	newAnonClient  func(creds *uintptr) int32
	dropAnonClient func(creds uintptr)
	push, pull, e  uintptr // callbacks, the same for all sessions
}

// A datum is a gnutls_datum_t.
type datum struct {
	data *byte
	size uint32
}

// loadGnuTLS loads the library once.
var loadGnuTLS = sync.OnceValues(func() (lib *gnutls, err error) {
	name := "libgnutls.so.30"
	if runtime.GOOS == "darwin" {
		name = "libgnutls.30.dylib"
	}
	handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoGnuTLS, err)
	}
	defer func() { // a symbol is missing
		if r := recover(); r != nil {
			lib, err = nil, fmt.Errorf("%w: %v", ErrNoGnuTLS, r)
		}
	}()
	g := &gnutls{}
	for symbol, f := range map[string]any{
		"gnutls_init": &g.init, "gnutls_deinit": &g.deinit, "gnutls_priority_set_direct": &g.priority,
		"gnutls_transport_set_ptr": &g.setPtr, "gnutls_transport_set_push_function": &g.setPush,
		"gnutls_transport_set_pull_function": &g.setPull, "gnutls_transport_set_errno_function": &g.setErrno,
		"gnutls_credentials_set": &g.setCreds, "gnutls_handshake": &g.handshake, "gnutls_record_send": &g.send,
		"gnutls_record_recv": &g.recv, "gnutls_bye": &g.bye, "gnutls_strerror": &g.strerror,
		"gnutls_error_is_fatal": &g.fatal, "gnutls_protocol_get_version": &g.version,
		"gnutls_protocol_get_name":               &g.versionName,
		"gnutls_psk_allocate_server_credentials": &g.newServer, "gnutls_psk_free_server_credentials": &g.freeServer,
		"gnutls_psk_set_server_credentials_file": &g.serverFile,
		"gnutls_psk_allocate_client_credentials": &g.newClient, "gnutls_psk_free_client_credentials": &g.freeClient,
		"gnutls_psk_set_client_credentials":       &g.clientKey,
		"gnutls_anon_allocate_server_credentials": &g.newAnonServer, "gnutls_anon_free_server_credentials": &g.dropAnonServer,
		"gnutls_anon_set_server_known_dh_params":  &g.anonParams,
		"gnutls_anon_allocate_client_credentials": &g.newAnonClient, "gnutls_anon_free_client_credentials": &g.dropAnonClient,
	} {
		purego.RegisterLibFunc(f, handle, symbol)
	}
	// There is no end of sessions, but of callbacks: these find theirs by its number.
	g.push = purego.NewCallback(func(number uintptr, b unsafe.Pointer, n uintptr) int {
		return withSession(number, func(c *gnutlsConn) int { return c.push(unsafe.Slice((*byte)(b), n)) })
	})
	g.pull = purego.NewCallback(func(number uintptr, b unsafe.Pointer, n uintptr) int {
		return withSession(number, func(c *gnutlsConn) int { return c.pull(unsafe.Slice((*byte)(b), n)) })
	})
	g.e = purego.NewCallback(func(uintptr) int32 { return int32(syscall.EAGAIN) }) // why pull returns -1
	return g, nil
})

// sessions are the connections by their numbers, for callbacks.
var (
	sessions   sync.Map
	lastNumber atomic.Uintptr
)

func withSession(number uintptr, f func(*gnutlsConn) int) int {
	c, ok := sessions.Load(number)
	if !ok {
		return -1
	}
	return f(c.(*gnutlsConn))
}

// check makes an error of a code.
func (g *gnutls) check(code int32, doing string) error {
	if code >= 0 {
		return nil
	}
	return fmt.Errorf("%s: GnuTLS: %s", doing, g.strerror(code))
}
