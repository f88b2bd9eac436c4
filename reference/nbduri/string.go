package nbduri

import (
	"strconv"
	"strings"
)

// String is the URI that Parse makes u of. Defaults are left out, and so is
// what the transport has no use for.
func (u URI) String() string {
	var b strings.Builder
	b.WriteString(u.Scheme() + "://")
	if u.User != "" {
		b.WriteString(escape(u.User, "") + "@")
	}
	if u.Transport != Unix {
		b.WriteString(u.hostString())
		if u.Port != 0 && u.Port != DefaultPort {
			b.WriteString(":" + strconv.FormatUint(uint64(u.Port), 10))
		}
	}
	b.WriteString("/" + escape(u.Export, "/:@"))

	separator := "?"
	add := func(name, value string) {
		b.WriteString(separator + escape(name, "") + "=" + escape(value, "/:@"))
		separator = "&"
	}
	if u.Transport == Unix {
		add("socket", u.Socket)
	}
	if u.TLSType != "" {
		add("tls-type", string(u.TLSType))
	}
	if u.TLSHostname != "" {
		add("tls-hostname", u.TLSHostname)
	}
	switch u.TLSVerifyPeer {
	case VerifyNever:
		add("tls-verify-peer", "0")
	case VerifyAlways:
		add("tls-verify-peer", "1")
	}
	if u.TLSCertificates != "" {
		add("tls-certificates", u.TLSCertificates)
	}
	if u.TLSPSKFile != "" {
		add("tls-psk-file", u.TLSPSKFile)
	}
	for _, p := range u.Other {
		add(p.Name, p.Value)
	}
	return b.String()
}

func (u URI) hostString() string {
	if strings.IndexByte(u.Host, ':') < 0 {
		return escape(u.Host, "!$&'()*+,;=")
	}
	return "[" + escape(u.Host, ":") + "]" // an IPv6 address
}

// escape percent-encodes all bytes of s but unreserved ones and those in keep.
func escape(s, keep string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; unreserved(c) || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// unreserved reports RFC 3986's unreserved characters.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
