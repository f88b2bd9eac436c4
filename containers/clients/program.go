package clients

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/images"
	"nbdconform/containers/internal/program"
)

// What stands in a command line for parts of a task.
const (
	uriMark    = "{uri}"    // NBD URI of the export, with what it takes for TLS
	serverMark = "{server}" // NBD URI of the server, without an export
	socketMark = "{socket}" // path of the server's Unix socket
	exportMark = "{export}" // name of the export
	diskMark   = "{disk}"   // the words that name the export: see Program.Secure
	fileMark   = "{file}"   // path of the task's file
	offsetMark = "{offset}" // bytes
	lengthMark = "{length}" // bytes

	contextMark = "{context}" // name of a metadata context
	pkiMark     = "{pki}"     // directory of certificates
	keysMark    = "{keys}"    // directory of pre-shared keys
)

// A Program is one NBD client program.
type Program struct {
	Name    string        // what it is called on our command line
	Binary  string        // what it is called on its own; "": Name
	Package string        // Debian package that has it
	Since   string        // first version of the package that speaks NBD; "": all
	stock   *images.Stock // of the image that has the package; nil: that of the servers
	// Commands has the command line of each operation that the program can do.
	Commands map[subject.Operation][]string
	// Plain are the words that stand for {disk} without TLS, and Secure those
	// with each kind of it that the program has.
	Plain  []string
	Secure map[subject.TLS][]string
	// SecureSince is the first version that does TLS over Unix sockets, by which
	// it meets servers here; "": all that have TLS.
	SecureSince string
	// Context is what of the command line of caller.Map makes room for the name
	// of another metadata context, and how; zero: the program can't be told.
	Context [2]string
	// TLS is what the program's URIs can say about TLS, besides to do without.
	TLS []subject.TLS
	// NoTLS are the kinds of TLS that the program can't be told to use.
	NoTLS []NoTLS
	// Unsupported are parts of messages by which the program says that it has no
	// such thing at all, whatever the server.
	Unsupported []string
	// Output says how to read what the program prints.
	Output Output
}

// A NoTLS is a kind of TLS that a program can't be told to use, and why.
type NoTLS struct {
	Kind   subject.TLS
	Before string // the first version that can; "": none can
	Reason string
}

// WhyNoTLS says why a version of the program can't be told to use a kind of TLS;
// "" if it can, or if that is not known.
func (p Program) WhyNoTLS(kind subject.TLS, version string) string {
	for _, n := range p.NoTLS {
		if n.Kind == kind && (n.Before == "" || !program.Version(version).AtLeast(n.Before)) {
			return n.Reason
		}
	}
	return ""
}

// SaysUnsupported reports whether the program says that it has no such thing at all.
func (p Program) SaysUnsupported(r subject.Report) bool {
	return slices.ContainsFunc(p.Unsupported, func(text string) bool {
		return strings.Contains(r.Stderr, text) || strings.Contains(r.Stdout, text)
	})
}

func (p Program) binary() string {
	if p.Binary != "" {
		return p.Binary
	}
	return p.Name
}

// Names are the names of all programs.
func Names() []string {
	var list []string
	for _, p := range Programs {
		list = append(list, p.Name)
	}
	return list
}

// Find returns the program of a name.
func Find(name string) (Program, error) {
	for _, p := range Programs {
		if p.Name == name {
			return p, nil
		}
	}
	return Program{}, fmt.Errorf("unknown client program %q: use one of %s, or -- COMMAND {uri}", name, strings.Join(Names(), ", "))
}

// Can reports whether p is known to do the operation, with TLS as told.
func (p Program) Can(a subject.Operation, t subject.TLS) bool {
	argv, ok := p.Commands[a]
	if !ok || t == subject.NoTLS {
		return ok
	}
	if slices.Contains(argv, diskMark) {
		return p.Secure[t] != nil
	}
	return slices.Contains(p.TLS, t) && slices.ContainsFunc(argv, func(word string) bool {
		return strings.Contains(word, uriMark) || strings.Contains(word, serverMark)
	})
}

// Argv is the command line for a task.
func (p Program) Argv(t subject.Task) []string {
	disk := p.Plain
	if t.Server.TLS != subject.NoTLS {
		disk = p.Secure[t.Server.TLS]
	}
	tell := func(word string) string { return word }
	if t.Context != "" {
		tell = func(word string) string {
			if word == p.Context[0] {
				return p.Context[1]
			}
			return word
		}
	}
	fill := strings.NewReplacer(
		uriMark, URI(t.Server, t.Server.Export), serverMark, URI(t.Server, ""),
		socketMark, t.Server.Socket, exportMark, t.Server.Export, fileMark, t.File, pkiMark, t.Server.PKI, keysMark, t.Server.Keys,
		contextMark, t.Context, offsetMark, strconv.FormatUint(t.Offset, 10), lengthMark, strconv.FormatUint(t.Length, 10),
	)
	var argv []string
	for _, word := range p.Commands[t.Operation] {
		if word != diskMark {
			argv = append(argv, fill.Replace(tell(word)))
			continue
		}
		for _, w := range disk {
			argv = append(argv, fill.Replace(tell(w)))
		}
	}
	return argv
}

// URI is the NBD URI of an export of a server.
func URI(a subject.Address, export string) string {
	export = strings.TrimPrefix((&url.URL{Path: "/" + export}).EscapedPath(), "/")
	switch a.TLS {
	case subject.NoTLS:
		return fmt.Sprintf("nbd+unix:///%s?socket=%s", export, a.Socket)
	case subject.TLSKey:
		return fmt.Sprintf("nbds+unix://%s@/%s?socket=%s&tls-psk-file=%s/%s", program.PSKUser, export, a.Socket, a.Keys, program.PSK)
	case subject.TLSAnonymous:
		return fmt.Sprintf("nbds+unix:///%s?socket=%s&tls-type=anon", export, a.Socket)
	}
	return fmt.Sprintf("nbds+unix://localhost/%s?socket=%s&tls-certificates=%s&tls-hostname=localhost", export, a.Socket, a.PKI)
}
