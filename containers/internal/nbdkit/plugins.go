package nbdkit

import "nbdconform/containers/internal/program"

const gib = 1024 * program.MiB

// plugins are profiles that differ by the plugin, and by its size.
var plugins = []row{
	{name: "size-0", size: 0, args: "memory 0", has: rw},
	{name: "size-1", size: 1, args: "memory 1", has: rw},
	{name: "size-513", size: 513, args: "memory 513", has: rw},
	{name: "size-odd", size: size + 3, args: "memory 67108867", has: rw},
	{name: "huge", size: 6 * gib, args: "memory 6G", has: rw},
	{name: "max", size: 1<<63 - 1, args: "memory 9223372036854775807", has: rw},
	{name: "null", size: 1<<63 - 1, args: "-r null 9223372036854775807", has: inert},
	{name: "pattern", size: 1 << 40, args: "-r pattern 1T", has: inert},
	{name: "sparse-random", size: 8 * gib, args: "-r sparse-random 8G seed=1", has: ro},
	{name: "one-thread", size: size, args: "-t 1 memory 64M", has: rw},
}

// handshakes are profiles that differ by how a connection begins.
var handshakes = []row{
	{name: "mask-handshake-0", size: size, args: "--mask-handshake=0 memory 64M"},
	{name: "mask-handshake-1", size: size, args: "--mask-handshake=1 memory 64M", has: rw},
	{name: "mask-handshake-2", size: size, args: "--mask-handshake=2 memory 64M"},
	{name: "oldstyle", size: size, args: "-o memory 64M"},
	{name: "no-meta-contexts", since: "1.42", size: size, args: "--no-mc memory 64M", has: rw + " -meta-context -block-status"},
}

// exports are profiles with exports of names of their own.
var exports = []program.Profile{
	{
		Name: "data", Exports: []string{""}, Size: 3 * program.MiB, Variant: true,
		Features: program.Promise(rw),
		Start:    with("data", "data=@0x1ff 0x55 @0x10000 0xaa*70000 @0x200001 1", "size=3M"),
	},
	{
		Name: "names", Since: "1.26", Export: "disk", Exports: []string{"disk", "other"}, Size: size, Variant: true,
		Features: program.Promise(rw),
		Start: with("--filter=exportname", "memory", "64M", "default-export=disk", "exportname=disk", "exportname=other",
			"exportname-strict=true", "exportname-list=explicit", "exportdesc=fixed:a disk with a name"),
	},
	{
		Name: "info", Export: "five!", Size: 5, Variant: true,
		Features: program.Promise(inert),
		Start:    with("info", "mode=exportname"),
	},
	program.Profile{
		Name: "tls-fallback", Exports: []string{""}, Size: size, Variant: true,
		Features: program.Promise(fixed, "starttls read-only"),
		Start:    with("--filter=tls-fallback", "--tls=on", "--tls-certificates="+program.PKI, "memory", "64M"),
	}.WithTLS(),
	{
		Name: "split", Exports: []string{""}, Size: 3*program.MiB + 1025, Variant: true,
		Features: program.Promise(ro, "-flush -multi-conn -block-size"),
		Start:    after([]string{"truncate -s 1M a", "truncate -s 1025 b", "truncate -s 2M c"}, "-r", "split", "a", "b", "c"),
	},
	{
		Name: "file-odd", Exports: []string{""}, Size: program.MiB + 17, Variant: true,
		Features: program.Promise(rw, "-fast-zero -block-size"),
		Start:    after([]string{"truncate -s 1048593 disk"}, "file", "disk"),
	},
	{
		Name: "file-huge", Exports: []string{""}, Size: 6 * gib, Variant: true,
		Features: program.Promise(rw, "-fast-zero -block-size"),
		Start:    after([]string{"truncate -s 6G disk"}, "file", "disk"),
	},
	{
		Name: "partition", Exports: []string{""}, Size: 8 * program.MiB, Variant: true,
		Features: program.Promise(rw, "-trim -block-size"),
		Start:    after([]string{"truncate -s 8M disk"}, "--filter=partition", "partitioning", "disk", "partition=1"),
	},
}

func with(args ...string) func(program.Place) program.Launch { return after(nil, args...) }

// after starts nbdkit after some commands.
func after(prepare []string, args ...string) func(program.Place) program.Launch {
	return func(p program.Place) program.Launch {
		return program.Launch{Prepare: prepare, Argv: append(listen(p), args...)}
	}
}
