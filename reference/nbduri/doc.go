// Package nbduri parses, prints and dials NBD URIs, the way that the document
// "The NBD Uniform Resource Indicator (URI) format" describes them:
//
//	nbd://example.com:10809/export
//	nbd+unix:///export?socket=nbd.sock
//
// [Parse] accepts what is a URI by RFC 3986 and an NBD URI by that document.
// What is legal but of no effect, or not understood, comes back as warnings:
// the document wants such parameters diagnosed, not refused.
//
// [URI.StartTLS] makes TLS of what the URI says about it. The query parameters
// tls-certificates and tls-psk-file are those of libnbd.
//
// The schemes nbd+vsock and nbds+vsock are no part of the document; they are
// spelled as libnbd spells them, with a context id in place of the host.
package nbduri
