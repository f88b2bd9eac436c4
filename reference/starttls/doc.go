// Package starttls puts TLS on connections that acknowledged
// NBD_OPT_STARTTLS: with X.509 certificates through crypto/tls, and with
// pre-shared keys or no authentication at all through GnuTLS, which is loaded
// at run time.
//
// A [Server] or [Client] does the handshake on a connection and returns a
// [Conn]. When to do that, and what becomes of what was negotiated before, is
// the business of packages server and client.
//
// Certificates are read from a directory, in the layout that QEMU, nbdkit and
// libnbd share: [LoadServer] and [LoadClient]. Package pki makes such a
// directory for tests. Keys are read from a file of name:hex lines, as these
// programs and psktool have it: [LoadPSKServer] and [LoadPSKClient].
//
// A program that can load a library at run time is no static program. The
// build tag nopsk leaves GnuTLS out, and the dynamic linker with it.
package starttls
