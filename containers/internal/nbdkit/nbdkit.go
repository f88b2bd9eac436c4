package nbdkit

import (
	"fmt"
	"slices"
	"strconv"

	"nbdconform/containers/internal/program"
)

const size = 64 * program.MiB

// everything is what nbdkit offers over its memory plugin unless told otherwise.
var everything = []string{
	"list", "info", "structured-reply", "meta-context", "block-status", "df",
	"flush", "fua", "trim", "write-zeroes", "fast-zero", "cache", "multi-conn",
}

// Program is nbdkit.
var Program = program.Program{
	Name:    "nbdkit",
	Package: "nbdkit",
	Interop: []string{
		"default", "read-only", "min-block-4096", "oldstyle", "mask-handshake-0", "names", "eval-write",
		"tls", "tls-required", "tls-psk",
	},
	Profiles: slices.Concat([]program.Profile{
		profile("default", everything, memory()),
		profile("read-only", append(without(everything, "fua", "trim", "write-zeroes", "fast-zero"), "read-only"), memory("-r")),
		minBlock("min-block-512", "512"),
		minBlock("min-block-4096", "4096"),
		profile("no-zero", without(everything, "write-zeroes", "fast-zero"), memory("--filter=nozero")),
		profile("no-extents", everything, memory("--filter=noextents")),
		profile("no-structured-reply", without(everything, "structured-reply", "meta-context", "block-status", "df"), memory("--no-sr")),
		bare(),
		profile("tls", append(without(everything), "starttls"),
			memory("--tls=on", "--tls-certificates="+program.PKI)).WithTLS(),
		profile("tls-required", append(without(everything), "starttls", "forced-tls"),
			memory("--tls=require", "--tls-certificates="+program.PKI, "--tls-verify-peer")).WithTLS(),
		file(),
		file().AsDurable("durable"),
	}, program.WithPSK(
		profile("tls-psk", append(without(everything), "starttls", "forced-tls"),
			memory("--tls=require", "--tls-psk="+program.PSK)),
	), variants(plugins), variants(handshakes), exports, evals, variants(filters)),
}

func profile(name string, features []string, start func(program.Place) program.Launch) program.Profile {
	return program.Profile{
		Name: name, Exports: []string{""}, Size: size, Features: promise(features), Start: start,
	}
}

// minBlock refuses every request that is not a multiple of min bytes.
func minBlock(name, min string) program.Profile {
	s := profile(name, append(without(everything), "block-size"), memory("--filter=blocksize-policy",
		"blocksize-minimum="+min, "blocksize-preferred=4096", "blocksize-maximum=1M", "blocksize-error-policy=error"))
	s.Since = "1.30"
	return s
}

// bare has next to nothing beyond the baseline.
func bare() program.Profile {
	s := profile("bare", []string{"list", "info", "flush", "trim"},
		memory("--no-sr", "--filter=nozero", "--filter=nocache", "--filter=fua", "--filter=multi-conn",
			"multi-conn-mode=disable"))
	s.Since = "1.26"
	return s
}

// file serves a file, and leaves the size of blocks to the client.
func file() program.Profile {
	return program.Profile{
		Name: "file", Exports: []string{""}, Size: size,
		Features: func(program.Version) []string { return without(everything, "fast-zero") },
		Start: func(p program.Place) program.Launch {
			return program.Launch{
				Prepare: []string{fmt.Sprintf("truncate -s %d disk", p.Size)},
				Argv:    append(listen(p), "file", "disk"),
			}
		},
	}
}

// memory starts the memory plugin. Arguments that begin with a dash are
// nbdkit's own, the others the filters'.
func memory(args ...string) func(program.Place) program.Launch {
	return func(p program.Place) program.Launch {
		argv, settings := listen(p), []string{"memory", strconv.FormatUint(p.Size, 10)}
		for _, a := range args {
			if a[0] == '-' {
				argv = append(argv, a)
			} else {
				settings = append(settings, a)
			}
		}
		return program.Launch{Argv: append(argv, settings...)}
	}
}

func listen(p program.Place) []string {
	if p.Socket != "" {
		return []string{"nbdkit", "-f", "-U", p.Socket}
	}
	return []string{"nbdkit", "-f", "-i", "0.0.0.0", "-p", strconv.Itoa(p.Port)}
}

// promise is what the memory plugin is certain to offer: features, and from
// 1.42 on the size of its blocks.
func promise(features []string) func(program.Version) []string {
	return func(v program.Version) []string {
		fs := slices.Clone(features)
		if v.AtLeast("1.42") && !slices.Contains(fs, "block-size") {
			fs = append(fs, "block-size")
		}
		return fs
	}
}

// without returns a copy of features that lacks those named.
func without(features []string, lacking ...string) []string {
	return slices.DeleteFunc(slices.Clone(features), func(f string) bool { return slices.Contains(lacking, f) })
}
