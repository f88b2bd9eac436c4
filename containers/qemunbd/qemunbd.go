// Package qemunbd describes how QEMU's qemu-nbd is set up.
package qemunbd

import (
	"fmt"
	"strconv"

	"nbdconform/containers/program"
)

const (
	size = 64 * program.MiB
	huge = 6 * 1024 * program.MiB // takes more than 32 bits; sparse
)

// Program is qemu-nbd.
var Program = program.Program{
	Name:    "qemu-nbd",
	Package: "qemu-utils",
	Setups: append([]program.Setup{
		{
			Name: "default", Exports: []string{""}, Size: size, Features: writable,
			Start: raw("--discard=unmap"),
		},
		{
			Name: "read-only", Exports: []string{""}, Size: size, Features: readOnly,
			Start: raw("-r"),
		},
		{
			Name: "named", Export: "disk", Exports: []string{"disk"}, Size: size, Features: writable,
			Start: raw("-x", "disk", "-D", "a disk with a name", "--discard=unmap"),
		},
		{
			Name: "huge", Exports: []string{""}, Size: huge, Features: writable,
			Start: func(p program.Place) program.Launch {
				return program.Launch{
					Prepare: []string{fmt.Sprintf("truncate -s %d disk", huge)},
					Argv:    argv(p, "raw", "--discard=unmap"),
				}
			},
		},
		program.Setup{
			Exports: []string{""}, Size: size, Features: writable, Start: raw("--discard=unmap"),
		}.AsDurable("durable"),
		program.Setup{
			Exports: []string{""}, Size: size, Features: writable,
			Start: func(p program.Place) program.Launch {
				return program.Launch{Prepare: []string{create("qcow2", "disk")}, Argv: argv(p, "qcow2", "--discard=unmap")}
			},
		}.AsDurable("durable-qcow2"),
		program.Setup{
			Name: "tls-required", Export: "disk", Exports: []string{"disk"}, Size: size,
			Features: and(writable, "starttls", "forced-tls"),
			Start: raw("-x", "disk", "--discard=unmap",
				"--object", "tls-creds-x509,id=t,endpoint=server,dir="+program.PKI, "--tls-creds", "t"),
		}.WithTLS(),
		{
			// An image over another, so that there is a depth to ask for, with two bitmaps.
			Name: "qcow2", Since: "6.0", Exports: []string{""}, Size: size, Features: layered,
			Start: func(p program.Place) program.Launch {
				return program.Launch{
					Prepare: []string{
						create("qcow2", "base.qcow2"),
						"qemu-io -f qcow2 -c 'write -P 1 0 1M' base.qcow2 >/dev/null",
						fmt.Sprintf("qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 disk %d", size),
						"qemu-img bitmap --add --enable disk b0",
						"qemu-img bitmap --add --enable disk b1",
						"qemu-io -f qcow2 -c 'write -P 2 2M 1M' disk >/dev/null",
					},
					Argv: argv(p, "qcow2", "-A", "-B", "b0", "-B", "b1", "--discard=unmap"),
				}
			},
		},
	}, program.WithPSK(program.Setup{
		Name: "tls-psk", Export: "disk", Exports: []string{"disk"}, Size: size,
		Features: and(writable, "starttls", "forced-tls"),
		Start:    preshared,
	})...),
}

// preshared serves with pre-shared keys. qemu-nbd reads the file anew for every
// client, and not from the directory that it was started in.
func preshared(p program.Place) program.Launch {
	l := raw("-x", "disk", "--discard=unmap")(p)
	const rest = `exec "$0" "$@" --object "tls-creds-psk,id=t,endpoint=server,dir=$PWD" --tls-creds t`
	l.Argv = append([]string{"sh", "-c", rest}, l.Argv...)
	return l
}

func raw(flags ...string) func(program.Place) program.Launch {
	return func(p program.Place) program.Launch {
		return program.Launch{Prepare: []string{create("raw", "disk")}, Argv: argv(p, "raw", flags...)}
	}
}

func create(format, name string) string {
	return fmt.Sprintf("qemu-img create -q -f %s %s %d", format, name, size)
}

func argv(p program.Place, format string, flags ...string) []string {
	// Persistent, and with more clients at once than any spec has.
	a := []string{"qemu-nbd", "-t", "-e", "128", "-f", format}
	if p.Socket != "" {
		a = append(a, "-k", p.Socket)
	} else {
		a = append(a, "-b", "0.0.0.0", "-p", strconv.Itoa(p.Port))
	}
	return append(append(a, flags...), "disk")
}

func common(v program.Version) []string {
	fs := []string{"list", "info", "block-size", "structured-reply", "meta-context", "block-status", "df", "cache"}
	if v.AtLeast("8.2") {
		fs = append(fs, "extended-headers", "block-status-payload")
	}
	return fs
}

func layered(v program.Version) []string {
	return append(writable(v), "dirty-bitmap", "allocation-depth")
}

func readOnly(v program.Version) []string {
	return append(common(v), "read-only", "multi-conn")
}

func writable(v program.Version) []string {
	fs := append(common(v), "flush", "fua", "trim", "write-zeroes", "fast-zero")
	if v.AtLeast("7.1") {
		fs = append(fs, "multi-conn")
	}
	return fs
}

// and adds features to those of f.
func and(f func(program.Version) []string, more ...string) func(program.Version) []string {
	return func(v program.Version) []string { return append(f(v), more...) }
}
