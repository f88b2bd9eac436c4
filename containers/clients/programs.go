package clients

import (
	_ "embed"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/images"
	"nbdconform/containers/internal/program"
)

// What libnbd's URIs can say of TLS.
var libnbdTLS = []subject.TLS{subject.TLSRequire, subject.TLSKey}

// What QEMU's block driver takes.
const qemuDriver = "driver=nbd,server.type=unix,server.path={socket},export={export}"

var qemuUnsupported = []string{"TLS only supported over IP sockets"} // before 7.1

var libnbdUnsupported = []string{"TLS is not supported", "compiled without TLS"}

// libnbdNoTLS are libnbd's URIs: those of 1.6 don't have tls-certificates, those
// of 1.14 do.
var libnbdNoTLS = []NoTLS{
	{Kind: subject.TLSRequire, Before: "1.14", Reason: "its URIs have no parameter for certificates yet"},
}

var qemuTLS = map[subject.TLS][]string{
	subject.TLSRequire: {
		"--object", "tls-creds-x509,id=t,endpoint=client,dir={pki}",
		"--image-opts", qemuDriver + ",tls-creds=t,tls-hostname=localhost",
	},
	subject.TLSKey: {
		"--object", "tls-creds-psk,id=t,endpoint=client,username=" + program.PSKUser + ",dir={keys}",
		"--image-opts", qemuDriver + ",tls-creds=t",
	},
	subject.TLSAnonymous: {
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

const fioNoTLS = "it lets libnbd read no certificates and no keys"

// Programs are those that are known, in the order of reports.
var Programs = []Program{
	{
		Name: "nbdinfo", Package: "libnbd-bin", TLS: libnbdTLS,
		Context: [2]string{"--map", "--map=" + contextMark},
		NoTLS:   libnbdNoTLS, Unsupported: libnbdUnsupported, Output: nbdinfoOutput,
		Commands: map[subject.Operation][]string{
			subject.Info: {"nbdinfo", "--json", "--no-content", uriMark},
			subject.List: {"nbdinfo", "--json", "--no-content", "--list", serverMark},
			subject.Map:  {"nbdinfo", "--map", uriMark},
		},
	},
	{
		Name: "nbdcopy", Package: "libnbd-bin", TLS: libnbdTLS,
		NoTLS: libnbdNoTLS, Unsupported: libnbdUnsupported,
		Commands: map[subject.Operation][]string{
			subject.CopyOut: {"nbdcopy", uriMark, fileMark},
			subject.CopyIn:  {"nbdcopy", "--flush", fileMark, uriMark},
		},
	},
	{
		Name: "qemu-img", Package: "qemu-utils",
		Plain:  []string{"--image-opts", qemuDriver},
		Secure: qemuTLS, SecureSince: "7.0",
		Context:     [2]string{qemuDriver, qemuDriver + ",x-dirty-bitmap=" + contextMark},
		Unsupported: qemuUnsupported, Output: qemuImgOutput,
		Commands: map[subject.Operation][]string{
			subject.Info:    {"qemu-img", "info", "--output=json", diskMark},
			subject.Map:     {"qemu-img", "map", "--output=json", diskMark},
			subject.CopyOut: {"qemu-img", "convert", "-O", "raw", diskMark, fileMark},
			subject.CopyIn:  {"qemu-img", "convert", "-n", "--target-image-opts", "-f", "raw", fileMark, qemuDriver},
			subject.Compare: {"qemu-img", "compare", diskMark, "driver=file,filename={file}"},
		},
	},
	{
		Name: "qemu-io", Package: "qemu-utils",
		Plain:  []string{"--image-opts", qemuDriver},
		Secure: qemuTLS, SecureSince: "7.0",
		Context:     [2]string{qemuDriver, qemuDriver + ",x-dirty-bitmap=" + contextMark},
		Unsupported: qemuUnsupported, Output: qemuIOOutput,
		Commands: map[subject.Operation][]string{
			subject.Visit: {"qemu-io", "-r", "-c", "read 0 64k", diskMark},
			subject.Zero:  {"qemu-io", "-c", "write -z {offset} {length}", "-c", "flush", diskMark},
			subject.Trim:  {"qemu-io", "-d", "unmap", "-c", "discard {offset} {length}", "-c", "flush", diskMark},
			subject.Map:   {"qemu-io", "-r", "-c", "map", diskMark},
		},
	},
	{
		Name: "nbd-client", Package: "nbd-client",
		Output: nbdClientOutput,
		Commands: map[subject.Operation][]string{
			subject.List: {"nbd-client", "-unix", socketMark, "-l"},
		},
	},
	{
		// nbdkit is the client, and nbdcopy beside it talks to nbdkit alone. It
		// ends as soon as the command does, and needs a moment before that to
		// leave the server in order.
		Name: "nbdkit-nbd", Binary: "nbdkit", Package: "nbdkit",
		Plain: []string{"socket={socket}", "export={export}"},
		Secure: map[subject.TLS][]string{
			subject.TLSRequire: {"socket={socket}", "export={export}", "tls=require", "tls-certificates={pki}"},
			subject.TLSKey:     {"socket={socket}", "export={export}", "tls=require", "tls-username=" + program.PSKUser, "tls-psk={keys}/" + program.PSK},
		},
		Unsupported: libnbdUnsupported, Output: nbdinfoOutput,
		Commands: map[subject.Operation][]string{
			subject.Info:    {"nbdkit", "-U", "-", "nbd", diskMark, "--run", `nbdinfo --json --no-content "$uri"; end=$?; sleep 0.3; exit $end`},
			subject.Map:     {"nbdkit", "-U", "-", "nbd", diskMark, "--run", `nbdinfo --map "$uri"; end=$?; sleep 0.3; exit $end`},
			subject.CopyOut: {"nbdkit", "-U", "-", "nbd", diskMark, "--run", `nbdcopy "$uri" {file}; end=$?; sleep 0.3; exit $end`},
			subject.CopyIn:  {"nbdkit", "-U", "-", "nbd", diskMark, "--run", `nbdcopy --flush {file} "$uri"; end=$?; sleep 0.3; exit $end`},
		},
	},
	{
		Name: "nbdsh", Package: "python3-libnbd", stock: &images.Shell, TLS: libnbdTLS,
		Unsupported: libnbdUnsupported,
		Commands: map[subject.Operation][]string{
			subject.Visit:  shell("h.pread(65536, 0)"),
			subject.Zero:   shell("h.zero({length}, {offset}); h.flush()"),
			subject.Trim:   shell("h.trim({length}, {offset}); h.flush()"),
			subject.Extras: {"nbdsh", "-c", extras},
		},
	},
	{
		// It has no files to copy and writes a pattern of its own instead. It
		// lets libnbd read no certificates. bullseye's is built without libnbd.
		Name: "fio", Package: "fio", stock: &images.Fio, Since: "3.33",
		Plain: []string{"--name=nbd", "--ioengine=nbd", "--uri={uri}", "--bs=64k"},
		NoTLS: []NoTLS{
			{Kind: subject.TLSRequire, Reason: fioNoTLS},
			{Kind: subject.TLSKey, Reason: fioNoTLS},
		},
		Unsupported: libnbdUnsupported,
		Commands: map[subject.Operation][]string{
			subject.Visit:  {"fio", diskMark, "--rw=read", "--size=1M"},
			subject.Stamp:  {"fio", diskMark, "--rw=write", "--end_fsync=1", "--verify=pattern", "--verify_pattern=%o", "--verify_fatal=1"},
			subject.Verify: {"fio", diskMark, "--rw=read", "--verify=pattern", "--verify_pattern=%o", "--verify_fatal=1"},
			subject.Trim:   {"fio", diskMark, "--rw=trim", "--offset={offset}", "--size={length}", "--end_fsync=1"},
		},
	},
}
