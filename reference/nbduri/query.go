package nbduri

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// query parses the query: name=value pairs between ampersands. A plus sign is
// a plus sign: what HTML forms do is no part of RFC 3986.
func (p *parser) query(raw string) error {
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.PathUnescape(name)
		if err != nil {
			return fmt.Errorf("query parameter: %w", err)
		}
		if value, err = url.PathUnescape(value); err != nil {
			return fmt.Errorf("query parameter %q: %w", name, err)
		}
		if known := parameters[name]; known == nil {
			p.other(name, value)
		} else if seen[name] {
			return fmt.Errorf("query parameter %q is given more than once", name)
		} else if err := known(p, value); err != nil {
			return fmt.Errorf("query parameter %q: %w", name, err)
		}
		seen[name] = true
	}
	if p.u.Transport == Unix && !seen["socket"] {
		return fmt.Errorf("query parameter \"socket\" is missing, the scheme %s needs it", p.u.Scheme())
	}
	return nil
}

var parameters = map[string]func(*parser, string) error{
	"socket":          (*parser).socket,
	"tls-type":        (*parser).tlsType,
	"tls-hostname":    (*parser).tlsHostname,
	"tls-verify-peer": (*parser).tlsVerifyPeer,

	"tls-certificates": func(p *parser, value string) error { return path(&p.u.TLSCertificates, value) },
	"tls-psk-file":     func(p *parser, value string) error { return path(&p.u.TLSPSKFile, value) },
}

func (p *parser) socket(value string) error {
	switch {
	case p.u.Transport != Unix:
		p.warn("query parameter \"socket\" is ignored: the scheme %s has no use for it", p.u.Scheme())
		return nil
	case value == "":
		return errors.New("empty")
	case strings.IndexByte(value[1:], 0) >= 0:
		return errors.New("NUL behind the first byte")
	}
	p.u.Socket = value
	return nil
}

func (p *parser) tlsType(value string) error {
	switch p.u.TLSType = TLSType(value); p.u.TLSType {
	case TLSAnonymous, TLSX509, TLSPSK:
	case "":
		return errors.New("empty")
	default:
		p.warn("query parameter \"tls-type\": %q is none of anon, x509, psk", value)
	}
	return nil
}

func (p *parser) tlsHostname(value string) error {
	if value == "" || strings.IndexByte(value, 0) >= 0 {
		return fmt.Errorf("%q is no host name", value)
	}
	p.u.TLSHostname = value
	return nil
}

func (p *parser) tlsVerifyPeer(value string) error {
	switch value {
	case "0":
		p.u.TLSVerifyPeer = VerifyNever
	case "1":
		p.u.TLSVerifyPeer = VerifyAlways
	default:
		return fmt.Errorf("%q is neither 0 nor 1", value)
	}
	return nil
}

func path(to *string, value string) error {
	if value == "" || strings.IndexByte(value, 0) >= 0 {
		return fmt.Errorf("%q is no path", value)
	}
	*to = value
	return nil
}

func (p *parser) other(name, value string) {
	p.u.Other = append(p.u.Other, Parameter{Name: name, Value: value})
	if !strings.HasPrefix(name, "x-") {
		p.warn("query parameter %q is not understood", name)
	}
}
