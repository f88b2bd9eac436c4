package qemustorage

import (
	"fmt"
	"strings"

	"nbdconform/containers/internal/program"
)

const size = 64 * program.MiB

// What an export offers, and what one that can be written to adds.
const (
	fixed = "list info block-size structured-reply meta-context block-status df cache " +
		"extended-headers block-status-payload"
	rw = fixed + " flush fua trim write-zeroes fast-zero multi-conn"
	ro = fixed + " read-only multi-conn"
)

// Program is qemu-storage-daemon, as package qemu-utils has it from trixie on.
var Program = program.Program{
	Name:    "qemu-storage-daemon",
	Package: "qemu-utils",
	Interop: []string{"default"},
	Profiles: []program.Profile{
		profile("default", "disk", rw),
		profile("read-only", "locked", ro).AsVariant(),
		profile("bitmap", "layered", rw+" dirty-bitmap allocation-depth").AsVariant(),
		secure("tls-required").AsVariant(),
	},
}

// blockdevs are the nodes behind the exports.
var blockdevs = []string{
	"driver=raw,node-name=raw,discard=unmap,file.driver=file,file.filename=disk,file.discard=unmap",
	"driver=raw,node-name=locked,read-only=on,file.driver=file,file.filename=locked",
	"driver=qcow2,node-name=layered,discard=unmap,file.driver=file,file.filename=layered,file.discard=unmap",
}

// exports are what every profile serves; it tests one of them.
var exports = []string{
	"id=disk,node-name=raw,name=disk,writable=on,description=a disk with a name",
	"id=locked,node-name=locked,name=locked,writable=off",
	"id=layered,node-name=layered,name=layered,writable=on,bitmaps.0=b0,allocation-depth=on",
}

// profile is a profile that tests one of the exports.
func profile(name, export, has string) program.Profile {
	return program.Profile{
		Name: name, Since: "10.0", Export: export, Exports: []string{"disk", "locked", "layered"}, Size: size,
		Features: program.Promise(has),
		Start:    func(p program.Place) program.Launch { return launch(p, "") },
	}
}

func secure(name string) program.Profile {
	s := profile(name, "disk", rw+" starttls forced-tls")
	s.Start = func(p program.Place) program.Launch {
		return launch(p, ",tls-creds=t",
			"--object", "tls-creds-x509,id=t,endpoint=server,verify-peer=no,dir="+program.PKI)
	}
	return s.WithTLS()
}

func launch(p program.Place, with string, flags ...string) program.Launch {
	at := fmt.Sprintf("addr.type=inet,addr.host=0.0.0.0,addr.port=%d", p.Port)
	if p.Socket != "" {
		at = "addr.type=unix,addr.path=" + strings.ReplaceAll(p.Socket, ",", ",,")
	}
	argv := append([]string{"qemu-storage-daemon"}, flags...)
	for _, b := range blockdevs {
		argv = append(argv, "--blockdev", b)
	}
	argv = append(argv, "--nbd-server", at+",max-connections=128"+with)
	for _, e := range exports {
		argv = append(argv, "--export", "type=nbd,"+e)
	}
	return program.Launch{
		Prepare: []string{
			fmt.Sprintf("truncate -s %d disk locked", p.Size),
			fmt.Sprintf("qemu-img create -q -f qcow2 layered %d", p.Size),
			"qemu-img bitmap --add --enable layered b0",
			"qemu-io -f qcow2 -c 'write -P 2 2M 1M' layered >/dev/null",
		},
		Argv: argv,
	}
}
