package main

import (
	"strings"
	"time"

	"nbdconform/cmd/nbdconform/internal/serve"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/configfile"
	"nbdconform/reference/wire"
)

// serveFlags are the flags of serve.
func serveFlags(s *serve.Options) []flagGroup {
	where := group("Where clients come from")
	where.StringArrayVar(&s.Listen, "listen", []string{"localhost:10809"}, "TCP `address`, HOST:PORT; this flag and the next two can be repeated")
	where.StringArrayVar(&s.Unix, "unix", nil, "`path` of a Unix socket, or @ and an abstract name")
	where.StringArrayVar(&s.Vsock, "vsock", nil, "vsock `address`, PORT or CID:PORT")
	where.BoolVar(&s.Stdio, "stdio", false, "serve one client on standard input and output, and end with it")
	where.BoolVar(&s.Activation, "socket-activation", false, "insist on sockets that the starting program passes on; "+
		"without this flag and the ones above it takes them where there are some")

	what := group("What they find")
	s.Disk.Size = referenceserver.DefaultSize
	what.StringVar(&s.File, "config", "", "configuration `file`, see docs/serve.md")
	what.BoolVar(&s.CheckOnly, "check-config", false, "say whether the configuration file is good, and end")
	what.StringVar(&s.Profile, "profile", "", "how to set it up (see nbdconform list --profiles)")
	what.Var(&s.Disk.Size, "size", "size of the export, in bytes or with K, M, G, T, P, E")
	what.StringVar(&s.Disk.Data.File, "file", "", "`file` that it starts with, and its size without --size; changes stay in memory")
	what.BoolVar(&s.Pattern, "pattern", false, "it starts with a pattern: every 8 bytes are their own offset")
	what.BoolVar(&s.Disk.ReadOnly, "read-only", false, "it can't be written to")
	what.Var(&s.Disk.BlockSize.Minimum, "block-size", "minimum block size")
	what.StringArrayVar(&s.Disk.Contexts, "context", nil, "`name` of a metadata context, such as qemu:dirty-bitmap:b0; can be repeated")

	how := group("How it behaves")
	how.StringVar(&s.TLS.Mode, "tls", "off", "off, on: for clients that ask for it (SELECTIVETLS), or require (FORCEDTLS)")
	how.StringVar(&s.TLS.Certificates, "tls-certificates", "", "`directory` with server-cert.pem, server-key.pem and ca-cert.pem")
	how.StringVar(&s.TLS.PSK, "tls-psk", "", "`file` of pre-shared keys, name:hex lines, instead of certificates")
	how.BoolVar(&s.TLS.Anonymous, "tls-anonymous", false, "no certificates: nothing is authenticated, and an attacker in between can read all")
	how.BoolVar(&s.TLS.VerifyPeer, "tls-verify-peer", false, "take clients with a certificate that ca-cert.pem signed only")
	how.StringVar(&s.Handshake, "handshake", configfile.Handshakes[0], strings.Join(configfile.Handshakes, ", "))
	how.StringVar(&s.Dialect, "dialect", "", "speak a draft in place of what has its numbers now: "+strings.Join(wire.Dialects()[1:], " or "))
	how.BoolVar(&s.NoStructured, "no-structured-replies", false, "know neither structured replies nor what builds on them")
	how.BoolVar(&s.NoExtended, "no-extended-headers", false, "know no extended headers")
	how.BoolVar(&s.Unannounced, "unannounced-writes", false, "take what QEMU writes with extended headers: without NBD_CMD_FLAG_PAYLOAD_LEN")
	how.BoolVar(&s.SimpleSuccess, "simple-success", true, "with structured replies, tell by a simple reply that a write or the like succeeded; not by default with --quirk")
	how.StringVar(&s.Quirk, "quirk", "", "misbehave (see nbdconform list --quirks)")
	how.StringArrayVar(&s.Faults, "fault", nil, "`fault` of the first export, as in a configuration file; can be repeated")

	running := group("How it runs")
	running.DurationVar(&s.Grace, "grace", 5*time.Second, "how long clients may stay after SIGTERM or SIGINT")
	running.StringVar(&s.Log, "log", "", "say on stderr what goes on: `connections` or requests")
	running.StringVar(&s.PIDFile, "pid-file", "", "`file` to write the process id to while it runs")
	return []flagGroup{where, what, how, running}
}
