package nbduri

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var parseTests = []struct {
	name, in string
	want     URI
	warnings []string // a part of each
	printed  string   // "" if as in
}{
	// The document's own examples.
	{"document: picture, TCP", "nbd://example.com:10809/export", URI{Host: "example.com", Export: "export"}, nil, "nbd://example.com/export"},
	{"document: picture, Unix", "nbd+unix:///export?socket=nbd.sock", URI{Transport: Unix, Socket: "nbd.sock", Export: "export"}, nil, ""},
	{"document: disk", "nbd://example.com/disk", URI{Host: "example.com", Export: "disk"}, nil, ""},
	{"document: disk on a socket", "nbd+unix:///disk?socket=sock", URI{Transport: Unix, Socket: "sock", Export: "disk"}, nil, ""},
	{"document: empty path", "nbd://example.com/", URI{Host: "example.com"}, nil, ""},
	{"document: no path", "nbd://example.com", URI{Host: "example.com"}, nil, "nbd://example.com/"},
	{"document: two slashes", "nbd://example.com//disk", URI{Host: "example.com", Export: "/disk"}, nil, ""},
	{"document: space", "nbd://example.com/hello%20world", URI{Host: "example.com", Export: "hello world"}, nil, ""},
	{"document: abstract socket", "nbd+unix:///?socket=%00/abstract", URI{Transport: Unix, Socket: "\x00/abstract"}, nil, ""},

	{"TLS", "nbds://h/", URI{TLS: true, Host: "h"}, nil, ""},
	{"TLS on a socket", "nbds+unix:///?socket=/run/s", URI{TLS: true, Transport: Unix, Socket: "/run/s"}, nil, ""},
	{"vsock", "nbd+vsock://3:4000000000/e", URI{Transport: Vsock, Host: "3", Port: 4000000000, Export: "e"}, nil, ""},
	{"vsock, defaults", "nbd+vsock:///", URI{Transport: Vsock}, nil, ""},
	{"TLS on vsock", "nbds+vsock://2/", URI{TLS: true, Transport: Vsock, Host: "2"}, nil, ""},
	{"scheme in capitals", "NBD://h/", URI{Host: "h"}, nil, "nbd://h/"},
	{"no host", "nbd:///e", URI{Export: "e"}, nil, ""},
	{"no authority", "nbd:/e", URI{Export: "e"}, nil, "nbd:///e"},
	{"scheme alone", "nbd:", URI{}, nil, "nbd:///"},
	{"other port", "nbd://h:10810/", URI{Host: "h", Port: 10810}, nil, ""},
	{"empty port", "nbd://h:/", URI{Host: "h"}, nil, "nbd://h/"},
	{"port alone", "nbd://:10810/", URI{Port: 10810}, nil, ""},
	{"IPv4", "nbd://127.0.0.1/", URI{Host: "127.0.0.1"}, nil, ""},
	{"IPv6", "nbd://[::1]/", URI{Host: "::1"}, nil, ""},
	{"IPv6 and port", "nbd://[2001:db8::7]:1/", URI{Host: "2001:db8::7", Port: 1}, nil, ""},
	{"IPv6 zone", "nbd://[fe80::1%25eth0]/", URI{Host: "fe80::1%eth0"}, nil, ""},
	{"user", "nbds://alice@h/", URI{TLS: true, User: "alice", Host: "h"}, nil, ""},
	{"user on a socket", "nbds+unix://a%40b@/?socket=s", URI{TLS: true, Transport: Unix, User: "a@b", Socket: "s"}, nil, ""},
	{"host: percent-encoded", "nbd://ex%61mple%2Ecom:1/%61", URI{Host: "example.com", Port: 1, Export: "a"}, nil, "nbd://example.com:1/a"},
	{"password", "nbd://alice:secret@h/", URI{User: "alice", Host: "h"}, []string{"password in the authority is ignored"}, "nbd://alice@h/"},
	{"host on a socket", "nbd+unix://h:1/?socket=s", URI{Transport: Unix, Socket: "s"}, []string{`"h:1" is ignored`}, "nbd+unix:///?socket=s"},
	{"export: reserved characters", "nbd://h/a%3Fb%23c%25d", URI{Host: "h", Export: "a?b#c%d"}, nil, ""},
	{"export: encoded slash", "nbd://h/%2Fa", URI{Host: "h", Export: "/a"}, nil, "nbd://h//a"},
	{"export: UTF-8", "nbd://h/%C3%BC", URI{Host: "h", Export: "ü"}, nil, ""},
	{"export: plus is a plus", "nbd://h/a+b", URI{Host: "h", Export: "a+b"}, nil, "nbd://h/a%2Bb"},
	{"socket: plus is a plus", "nbd+unix:///?socket=a+b", URI{Transport: Unix, Socket: "a+b"}, nil, "nbd+unix:///?socket=a%2Bb"},
	{"socket: ampersand", "nbd+unix:///?socket=a%26b", URI{Transport: Unix, Socket: "a&b"}, nil, ""},
	{"socket: semicolon", "nbd+unix:///?socket=a;b", URI{Transport: Unix, Socket: "a;b"}, nil, "nbd+unix:///?socket=a%3Bb"},
	{"socket of no use", "nbd://h/?socket=s", URI{Host: "h"}, []string{`"socket" is ignored`}, "nbd://h/"},
	{
		"tls parameters", "nbds://h/?tls-type=x509&tls-hostname=g&tls-verify-peer=0",
		URI{TLS: true, Host: "h", TLSType: TLSX509, TLSHostname: "g", TLSVerifyPeer: VerifyNever},
		nil, "",
	},
	{
		"tls files", "nbds+unix://alice@/?socket=s&tls-certificates=/etc/pki&tls-psk-file=keys.psk",
		URI{Transport: Unix, TLS: true, User: "alice", Socket: "s", TLSCertificates: "/etc/pki", TLSPSKFile: "keys.psk"},
		nil, "",
	},
	{"tls-verify-peer=1", "nbd://h/?tls-verify-peer=1", URI{Host: "h", TLSVerifyPeer: VerifyAlways}, nil, ""},
	{"tls-type unknown", "nbd://h/?tls-type=srp", URI{Host: "h", TLSType: "srp"}, []string{`"srp" is none of`}, ""},
	{"experimental parameter", "nbd://h/?x-a=1", URI{Host: "h", Other: []Parameter{{"x-a", "1"}}}, nil, ""},
	{
		"unknown parameters", "nbd://h/?b=1&a&b=2",
		URI{Host: "h", Other: []Parameter{{"b", "1"}, {"a", ""}, {"b", "2"}}},
		[]string{`"b" is not understood`, `"a" is not understood`, `"b" is not understood`},
		"nbd://h/?b=1&a=&b=2",
	},
	{"empty pairs", "nbd://h/?&&", URI{Host: "h"}, nil, "nbd://h/"},
	{"fragment", "nbd://h/e#f", URI{Host: "h", Export: "e"}, []string{`fragment "f"`}, "nbd://h/e"},
}

func TestParse(t *testing.T) {
	for _, tt := range parseTests {
		t.Run(tt.name, func(t *testing.T) {
			got, warnings, err := Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.in, diff)
			}
			if len(warnings) != len(tt.warnings) {
				t.Fatalf("warnings %q, want %q", warnings, tt.warnings)
			}
			for i, w := range warnings {
				if !strings.Contains(string(w), tt.warnings[i]) {
					t.Errorf("warning %q, want %q in it", w, tt.warnings[i])
				}
			}
			want := tt.printed
			if want == "" {
				want = tt.in
			}
			if got.String() != want {
				t.Errorf("String() = %q, want %q", got.String(), want)
			}
		})
	}
}

var parseErrorTests = []struct{ name, in, want string }{
	{"empty", "", `scheme "" is none`},
	{"other scheme", "http://h/", `scheme "http" is none`},
	{"qemu's older syntax", "nbd:localhost:10809", "follows the scheme"},
	{"socket missing", "nbd+unix:///e", `"socket" is missing`},
	{"socket missing, TLS", "nbds+unix:///e", `"socket" is missing`},
	{"socket empty", "nbd+unix:///?socket=", "empty"},
	{"socket twice", "nbd+unix:///?socket=a&socket=b", "more than once"},
	{"socket with a NUL", "nbd+unix:///?socket=a%00b", "NUL behind the first byte"},
	{"port too large", "nbd://h:65536/", "out of range"},
	{"port zero", "nbd://h:0/", "out of range"},
	{"port of letters", "nbd://h:nbd/", "invalid port"},
	{"vsock port too large", "nbd+vsock://2:4294967296/", "out of range"},
	{"vsock name", "nbd+vsock://h/", "no vsock context id"},
	{"NUL in the export name", "nbd://h/%00", "contains a NUL"},
	{"export name not UTF-8", "nbd://h/%FF", "is not UTF-8"},
	{"export name too long", "nbd://h/" + strings.Repeat("a", 4097), "4097 bytes long"},
	{"space", "nbd://h/a b", "has to be written %20"},
	{"bare UTF-8", "nbd://h/ü", "has to be written %C3"},
	{"bracket in the path", "nbd://h/[", "has to be written %5B"},
	{"bad escape", "nbd://h/%zz", "invalid URL escape"},
	{"bad escape in the query", "nbd://h/?a=%zz", "invalid URL escape"},
	{"bare IPv6", "nbd://::1/", "no IPv6 address in brackets"},
	{"IPv4 in brackets", "nbd://[127.0.0.1]/", "IP-literal"},
	{"bracket not opened", "nbd://]", "no IPv6 address in brackets"},
	{"bracket not closed", "nbd://[::1/", "missing ']'"},
	{"verify-peer", "nbd://h/?tls-verify-peer=yes", "neither 0 nor 1"},
	{"tls-type empty", "nbd://h/?tls-type=", "empty"},
	{"tls-hostname empty", "nbd://h/?tls-hostname=", "no host name"},
}

func TestParseErrors(t *testing.T) {
	for _, tt := range parseErrorTests {
		t.Run(tt.name, func(t *testing.T) {
			u, _, err := Parse(tt.in)
			if err == nil {
				t.Fatalf("Parse(%q) = %+v, want an error", tt.in, u)
			}
			if !strings.HasPrefix(err.Error(), "parsing NBD URI ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse(%q): %v, want %q in it", tt.in, err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range parseTests {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, _, err := Parse(s)
		if err != nil {
			return
		}
		again, _, err := Parse(u.String())
		if err != nil {
			t.Fatalf("Parse(%q) is good, its String is not: %v", s, err)
		}
		if diff := cmp.Diff(u, again); diff != "" {
			t.Errorf("Parse(%q) printed as %q and parsed again (-want +got):\n%s", s, u, diff)
		}
	})
}
