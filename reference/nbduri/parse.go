package nbduri

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"nbdconform/reference/wire"
)

// A Warning says what in a URI has no effect, or is not understood.
type Warning string

// Parse parses s. The warnings are about a URI that is good enough to use.
// Errors start with "parsing NBD URI".
func Parse(s string) (URI, []Warning, error) {
	var p parser
	if err := p.parse(s); err != nil {
		return URI{}, nil, fmt.Errorf("parsing NBD URI %q: %w", s, err)
	}
	return p.u, p.warnings, nil
}

// MustParse is Parse for URIs that are known to be good. It panics on an error and drops warnings.
func MustParse(s string) URI {
	u, _, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

type parser struct {
	u        URI
	warnings []Warning
}

func (p *parser) warn(format string, args ...any) {
	p.warnings = append(p.warnings, Warning(fmt.Sprintf(format, args...)))
}

func (p *parser) parse(s string) error {
	if err := checkCharacters(s); err != nil {
		return err
	}
	raw, err := url.Parse(plainHost(s))
	if err != nil {
		var uerr *url.Error
		if errors.As(err, &uerr) {
			err = uerr.Err // without the URI, which Parse quotes
		}
		return err
	}
	var known bool
	if p.u, known = schemes[raw.Scheme]; !known {
		return fmt.Errorf("scheme %q is none of nbd, nbds, nbd+unix, nbds+unix, nbd+vsock, nbds+vsock", raw.Scheme)
	}
	if raw.Opaque != "" {
		return fmt.Errorf("%q follows the scheme where a slash is due", raw.Opaque)
	}
	if strings.ContainsRune(s, '#') {
		p.warn("the fragment %q has no meaning in an NBD URI", raw.Fragment)
	}
	if err := p.authority(raw); err != nil {
		return err
	}
	p.u.Export = strings.TrimPrefix(raw.Path, "/")
	if err := wire.ValidateString("export name", p.u.Export); err != nil {
		return err
	}
	return p.query(raw.RawQuery)
}

// checkCharacters reports what RFC 3986 allows nowhere, or not behind the
// authority; url.Parse forgives some of it.
func checkCharacters(s string) error {
	authority := s
	if _, rest, ok := strings.Cut(s, "://"); ok {
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			authority = s[:len(s)-len(rest)+i]
		}
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '%' || unreserved(c) || strings.IndexByte(":/?#@!$&'()*+,;=", c) >= 0:
		case (c == '[' || c == ']') && i < len(authority):
		default:
			return fmt.Errorf("byte %d is %q, which has to be written %%%02X", i, c, c)
		}
	}
	return nil
}

// plainHost undoes percent-encoding in the authority where it changes nothing,
// by section 6.2.2.2 of RFC 3986: url.Parse does not take it in a host.
func plainHost(s string) string {
	before, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	var b strings.Builder
	for i := 0; i < end; i++ {
		if c, err := url.PathUnescape(rest[i:min(i+3, end)]); rest[i] == '%' && err == nil && len(c) == 1 && unreserved(c[0]) {
			b.WriteString(c)
			i += 2
			continue
		}
		b.WriteByte(rest[i])
	}
	return before + "://" + b.String() + rest[end:]
}

func (p *parser) authority(raw *url.URL) error {
	p.u.User = raw.User.Username()
	if _, ok := raw.User.Password(); ok {
		p.warn("the password in the authority is ignored")
	}
	if strings.Contains(raw.User.String(), "%00") {
		return errors.New("the user name contains a NUL")
	}
	if p.u.Transport == Unix {
		if raw.Host != "" {
			p.warn("%q is ignored: a Unix domain socket has no host and no port", raw.Host)
		}
		return nil
	}
	p.u.Host = raw.Hostname()
	if strings.ContainsAny(raw.Host, "[]") || strings.Contains(p.u.Host, ":") {
		a, err := netip.ParseAddr(p.u.Host)
		if err != nil || !a.Is6() || !strings.HasPrefix(raw.Host, "[") {
			return fmt.Errorf("host %q is no IPv6 address in brackets", raw.Host)
		}
	}
	bits := 16
	if p.u.Transport == Vsock {
		bits = 32
		if _, err := strconv.ParseUint(p.u.Host, 10, 32); p.u.Host != "" && err != nil {
			return fmt.Errorf("%q is no vsock context id", p.u.Host)
		}
	}
	if port := raw.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, bits)
		if err != nil || n == 0 {
			return fmt.Errorf("port %s is out of range", port)
		}
		if n != DefaultPort {
			p.u.Port = uint32(n)
		}
	}
	return nil
}
