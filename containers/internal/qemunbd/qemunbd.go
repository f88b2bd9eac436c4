package qemunbd

import (
	"fmt"
	"slices"

	"nbdconform/containers/internal/program"
)

const (
	size = 64 * program.MiB
	huge = 6 * 1024 * program.MiB // takes more than 32 bits; sparse
)

// Program is qemu-nbd.
var Program = program.Program{
	Name:    "qemu-nbd",
	Package: "qemu-utils",
	Interop: []string{"default", "read-only", "named", "qcow2", "min-block-4096", "tls-required", "tls-psk", "tls-anon"},
	Profiles: slices.Concat([]program.Profile{
		{
			Name: "default", Exports: []string{""}, Size: size, Features: program.Promise(rw),
			Start: raw("--discard=unmap"),
		},
		{
			Name: "read-only", Exports: []string{""}, Size: size, Features: program.Promise(ro),
			Start: raw("-r"),
		},
		{
			Name: "named", Export: "disk", Exports: []string{"disk"}, Size: size, Features: program.Promise(rw),
			Start: raw("-x", "disk", "-D", "a disk with a name", "--discard=unmap"),
		},
		{
			Name: "huge", Exports: []string{""}, Size: huge, Features: program.Promise(rw),
			Start: func(p program.Place) program.Launch {
				return program.Launch{
					Prepare: []string{fmt.Sprintf("truncate -s %d disk", p.Size)},
					Argv:    argv(p, "raw", "--discard=unmap"),
				}
			},
		},
		program.Profile{
			Exports: []string{""}, Size: size, Features: program.Promise(rw), Start: raw("--discard=unmap"),
		}.AsDurable("durable"),
		program.Profile{
			Exports: []string{""}, Size: size, Features: program.Promise(rw),
			Start: func(p program.Place) program.Launch {
				return program.Launch{Prepare: []string{create("qcow2", "disk", p.Size)}, Argv: argv(p, "qcow2", "--discard=unmap")}
			},
		}.AsDurable("durable-qcow2"),
		program.Profile{
			Name: "tls-required", Export: "disk", Exports: []string{"disk"}, Size: size,
			Features: program.Promise(rw, "starttls forced-tls"),
			Start: raw("-x", "disk", "--discard=unmap",
				"--object", "tls-creds-x509,id=t,endpoint=server,dir="+program.PKI, "--tls-creds", "t"),
		}.WithTLS(),
		{
			// An image over another, so that there is a depth to ask for, with two bitmaps.
			Name: "qcow2", Since: "6.0", Exports: []string{""}, Size: size, Features: program.Promise(rw, "dirty-bitmap allocation-depth"),
			Start: func(p program.Place) program.Launch {
				return program.Launch{
					Prepare: []string{
						create("qcow2", "base.qcow2", p.Size),
						"qemu-io -f qcow2 -c 'write -P 1 0 1M' base.qcow2 >/dev/null",
						fmt.Sprintf("qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 disk %d", p.Size),
						"qemu-img bitmap --add --enable disk b0",
						"qemu-img bitmap --add --enable disk b1",
						"qemu-io -f qcow2 -c 'write -P 2 2M 1M' disk >/dev/null",
					},
					Argv: argv(p, "qcow2", "-A", "-B", "b0", "-B", "b1", "--discard=unmap"),
				}
			},
		},
	}, program.WithPSK(program.Profile{
		Name: "tls-psk", Export: "disk", Exports: []string{"disk"}, Size: size,
		Features: program.Promise(rw, "starttls forced-tls"),
		Start:    preshared,
	}), program.WithAnonymous(program.Profile{
		Name: "tls-anon", Export: "disk", Exports: []string{"disk"}, Size: size,
		Features: program.Promise(rw, "starttls forced-tls"),
		Start: raw("-x", "disk", "--discard=unmap",
			"--object", "tls-creds-anon,id=t,endpoint=server", "--tls-creds", "t"),
	}), variants()),
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
		return program.Launch{Prepare: []string{create("raw", "disk", p.Size)}, Argv: argv(p, "raw", flags...)}
	}
}

func create(format, name string, size uint64) string {
	return fmt.Sprintf("qemu-img create -q -f %s %s %d", format, name, size)
}

func argv(p program.Place, format string, flags ...string) []string {
	return slices.Concat(listen(p), []string{"-f", format}, flags, []string{"disk"})
}
