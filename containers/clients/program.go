package clients

import (
	_ "embed"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nbdconform/conformance/caller"
	"nbdconform/containers/internal/images"
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
	// Commands has the command line of each activity that the program can do.
	Commands map[caller.Activity][]string
	// Plain are the words that stand for {disk} without TLS, and Secure those
	// with each kind of it that the program has.
	Plain  []string
	Secure map[caller.TLS][]string
	// SecureSince is the first version that does TLS over Unix sockets, by which
	// it meets servers here; "": all that have TLS.
	SecureSince string
	// Context is what of the command line of caller.Map makes room for the name
	// of another metadata context, and how; zero: the program can't be told.
	Context [2]string
	// TLS is what the program's URIs can say about TLS, besides to do without.
	TLS []caller.TLS
}

func (p Program) binary() string {
	if p.Binary != "" {
		return p.Binary
	}
	return p.Name
}

// What libnbd's URIs can say of TLS.
var libnbdTLS = []caller.TLS{caller.TLSRequire, caller.TLSKey}

// What QEMU's block driver takes.
const qemuDriver = "driver=nbd,server.type=unix,server.path={socket},export={export}"

var qemuTLS = map[caller.TLS][]string{
	caller.TLSRequire: {
		"--object", "tls-creds-x509,id=t,endpoint=client,dir={pki}",
		"--image-opts", qemuDriver + ",tls-creds=t,tls-hostname=localhost",
	},
	caller.TLSKey: {
		"--object", "tls-creds-psk,id=t,endpoint=client,username=alice,dir={keys}",
		"--image-opts", qemuDriver + ",tls-creds=t",
	},
	caller.TLSAnonymous: {
		"--object", "tls-creds-anon,id=t,endpoint=client",
		"--image-opts", qemuDriver + ",tls-creds=t",
	},
}

// extras is what nbdsh does as caller.Extras.
//
//go:embed extras.py
var extras string

// shell has nbdsh connect, do something and disconnect, whatever comes of it.
func shell(does string) []string {
	return []string{
		"nbdsh", "-c", "h.set_uri_allow_local_file(True)", "-c", `h.connect_uri("{uri}")`,
		"-c", "try: " + does + "\nfinally: h.shutdown()",
	}
}

// Programs are those that are known, in the order of reports.
var Programs = []Program{
	{
		Name: "nbdinfo", Package: "libnbd-bin", TLS: libnbdTLS,
		Context: [2]string{"--map", "--map=" + contextMark},
		Commands: map[caller.Activity][]string{
			caller.Info: {"nbdinfo", "--json", "--no-content", uriMark},
			caller.List: {"nbdinfo", "--json", "--no-content", "--list", serverMark},
			caller.Map:  {"nbdinfo", "--map", uriMark},
		},
	},
	{
		Name: "nbdcopy", Package: "libnbd-bin", TLS: libnbdTLS,
		Commands: map[caller.Activity][]string{
			caller.CopyOut: {"nbdcopy", uriMark, fileMark},
			caller.CopyIn:  {"nbdcopy", "--flush", fileMark, uriMark},
		},
	},
	{
		Name: "qemu-img", Package: "qemu-utils",
		Plain:  []string{"--image-opts", qemuDriver},
		Secure: qemuTLS, SecureSince: "7.0",
		Context: [2]string{qemuDriver, qemuDriver + ",x-dirty-bitmap=" + contextMark},
		Commands: map[caller.Activity][]string{
			caller.Info:    {"qemu-img", "info", "--output=json", diskMark},
			caller.Map:     {"qemu-img", "map", "--output=json", diskMark},
			caller.CopyOut: {"qemu-img", "convert", "-O", "raw", diskMark, fileMark},
			caller.CopyIn:  {"qemu-img", "convert", "-n", "--target-image-opts", "-f", "raw", fileMark, qemuDriver},
			caller.Compare: {"qemu-img", "compare", diskMark, "driver=file,filename={file}"},
		},
	},
	{
		Name: "qemu-io", Package: "qemu-utils",
		Plain:  []string{"--image-opts", qemuDriver},
		Secure: qemuTLS, SecureSince: "7.0",
		Context: [2]string{qemuDriver, qemuDriver + ",x-dirty-bitmap=" + contextMark},
		Commands: map[caller.Activity][]string{
			caller.Visit: {"qemu-io", "-r", "-c", "read 0 64k", diskMark},
			caller.Zero:  {"qemu-io", "-c", "write -z {offset} {length}", "-c", "flush", diskMark},
			caller.Trim:  {"qemu-io", "-d", "unmap", "-c", "discard {offset} {length}", "-c", "flush", diskMark},
			caller.Map:   {"qemu-io", "-r", "-c", "map", diskMark},
		},
	},
	{
		Name: "nbd-client", Package: "nbd-client",
		Commands: map[caller.Activity][]string{
			caller.List: {"nbd-client", "-unix", socketMark, "-l"},
		},
	},
	{
		// nbdkit is the client, and nbdcopy beside it talks to nbdkit alone. It
		// ends as soon as the command does, and needs a moment before that to
		// leave the server in order.
		Name: "nbdkit-nbd", Binary: "nbdkit", Package: "nbdkit",
		Plain: []string{"socket={socket}", "export={export}"},
		Secure: map[caller.TLS][]string{
			caller.TLSRequire: {"socket={socket}", "export={export}", "tls=require", "tls-certificates={pki}"},
			caller.TLSKey:     {"socket={socket}", "export={export}", "tls=require", "tls-username=alice", "tls-psk={keys}/keys.psk"},
		},
		Commands: map[caller.Activity][]string{
			caller.Info:    {"nbdkit", "-U", "-", "nbd", diskMark, "--run", `nbdinfo --json --no-content "$uri"; end=$?; sleep 0.3; exit $end`},
			caller.Map:     {"nbdkit", "-U", "-", "nbd", diskMark, "--run", `nbdinfo --map "$uri"; end=$?; sleep 0.3; exit $end`},
			caller.CopyOut: {"nbdkit", "-U", "-", "nbd", diskMark, "--run", `nbdcopy "$uri" {file}; end=$?; sleep 0.3; exit $end`},
			caller.CopyIn:  {"nbdkit", "-U", "-", "nbd", diskMark, "--run", `nbdcopy --flush {file} "$uri"; end=$?; sleep 0.3; exit $end`},
		},
	},
	{
		Name: "nbdsh", Package: "python3-libnbd", stock: &images.Shell, TLS: libnbdTLS,
		Commands: map[caller.Activity][]string{
			caller.Visit:  shell("h.pread(65536, 0)"),
			caller.Zero:   shell("h.zero({length}, {offset}); h.flush()"),
			caller.Trim:   shell("h.trim({length}, {offset}); h.flush()"),
			caller.Extras: {"nbdsh", "-c", extras},
		},
	},
	{
		// It has no files to copy and writes a pattern of its own instead. It
		// lets libnbd read no certificates. bullseye's is built without libnbd.
		Name: "fio", Package: "fio", stock: &images.Fio, Since: "3.33",
		Plain: []string{"--name=nbd", "--ioengine=nbd", "--uri={uri}", "--bs=64k"},
		Commands: map[caller.Activity][]string{
			caller.Visit:  {"fio", diskMark, "--rw=read", "--size=1M"},
			caller.Stamp:  {"fio", diskMark, "--rw=write", "--end_fsync=1", "--verify=pattern", "--verify_pattern=%o", "--verify_fatal=1"},
			caller.Verify: {"fio", diskMark, "--rw=read", "--verify=pattern", "--verify_pattern=%o", "--verify_fatal=1"},
			caller.Trim:   {"fio", diskMark, "--rw=trim", "--offset={offset}", "--size={length}", "--end_fsync=1"},
		},
	},
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

// Can reports whether p is known to do the activity, with TLS as told.
func (p Program) Can(a caller.Activity, t caller.TLS) bool {
	argv, ok := p.Commands[a]
	if !ok || t == caller.NoTLS {
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
func (p Program) Argv(t caller.Task) []string {
	disk := p.Plain
	if t.Server.TLS != caller.NoTLS {
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
	for _, word := range p.Commands[t.Activity] {
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
func URI(a caller.Address, export string) string {
	export = strings.TrimPrefix((&url.URL{Path: "/" + export}).EscapedPath(), "/")
	switch a.TLS {
	case caller.NoTLS:
		return fmt.Sprintf("nbd+unix:///%s?socket=%s", export, a.Socket)
	case caller.TLSKey:
		return fmt.Sprintf("nbds+unix://alice@/%s?socket=%s&tls-psk-file=%s/keys.psk", export, a.Socket, a.Keys)
	case caller.TLSAnonymous:
		return fmt.Sprintf("nbds+unix:///%s?socket=%s&tls-type=anon", export, a.Socket)
	}
	return fmt.Sprintf("nbds+unix://localhost/%s?socket=%s&tls-certificates=%s&tls-hostname=localhost", export, a.Socket, a.PKI)
}
