package nbduri

// DefaultPort is the port that IANA assigned to NBD.
const DefaultPort = 10809

// DefaultHost is what a TCP URI without a host stands for.
const DefaultHost = "localhost"

// DefaultCID is what a vsock URI without a context id stands for: the host, seen from a guest.
const DefaultCID = "2"

// A Transport is what the protocol runs over.
type Transport uint8

// The transports, and the schemes that name them.
const (
	TCP   Transport = 0 // nbd, nbds
	Unix  Transport = 1 // nbd+unix, nbds+unix
	Vsock Transport = 2 // nbd+vsock, nbds+vsock
)

func (t Transport) String() string {
	switch t {
	case TCP:
		return "tcp"
	case Unix:
		return "unix"
	case Vsock:
		return "vsock"
	}
	return "unknown transport"
}

// A TLSType is the value of tls-type: how the two sides prove who they are.
type TLSType string

// Section "NBD URI query parameters related to TLS". Others are possible.
const (
	TLSAnonymous TLSType = "anon"
	TLSX509      TLSType = "x509"
	TLSPSK       TLSType = "psk"
)

// A VerifyPeer is the value of tls-verify-peer.
type VerifyPeer uint8

// Whether the client verifies the server's identity.
const (
	VerifyIfPossible VerifyPeer = 0 // not given: if a suitable certificate authority is available
	VerifyNever      VerifyPeer = 1 // tls-verify-peer=0
	VerifyAlways     VerifyPeer = 2 // tls-verify-peer=1
)

// A Parameter is a query parameter that this package gives no meaning to.
type Parameter struct {
	Name, Value string // percent-decoded
}

// A URI is an NBD URI, percent-decoded. The zero value is the default export of
// the server on this machine.
type URI struct {
	Transport Transport
	TLS       bool // TLS is required: one of the nbds schemes

	User   string // for TLS with pre-shared keys; "" is the local user
	Host   string // TCP: name or address, no brackets; vsock: context id, in decimal; "" is the default
	Port   uint32 // TCP: at most 65535; 0 is DefaultPort; none of Unix
	Socket string // Unix: path, or a NUL and an abstract name
	Export string // "" is the default export

	TLSType       TLSType // "" where not given
	TLSHostname   string  // name to verify the server's certificate against, "" is Host
	TLSVerifyPeer VerifyPeer

	// As libnbd has them, no part of the document:
	TLSCertificates string // directory with ca-cert.pem and the like; "" is not given
	TLSPSKFile      string // file of name:hex lines; "" is not given

	Other []Parameter // in the order of the URI
}

// Scheme is the name of the URI's scheme.
func (u URI) Scheme() string {
	s := "nbd"
	if u.TLS {
		s = "nbds"
	}
	if u.Transport != TCP {
		s += "+" + u.Transport.String()
	}
	return s
}

// schemes are the schemes that Parse knows.
var schemes = map[string]URI{
	"nbd":        {Transport: TCP},
	"nbds":       {Transport: TCP, TLS: true},
	"nbd+unix":   {Transport: Unix},
	"nbds+unix":  {Transport: Unix, TLS: true},
	"nbd+vsock":  {Transport: Vsock},
	"nbds+vsock": {Transport: Vsock, TLS: true},
}
