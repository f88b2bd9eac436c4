package qemunbd

import (
	"fmt"
	"strconv"
	"strings"

	"nbdconform/containers/internal/program"
)

// A row is a profile in which qemu-nbd serves what it finds in some format.
type row struct {
	name, since string
	size        uint64
	prepare     string // makes the file "disk"; "": as many bytes as size has
	args        string // after the program's name and where to listen
	has         string // what it promises; see program.Promise
}

// What qemu-nbd always offers, and then of an export that can be written to.
const (
	fixed = "list info block-size structured-reply meta-context block-status df cache " +
		"extended-headers@8.2 block-status-payload@8.2"
	rw = fixed + " flush fua trim write-zeroes fast-zero multi-conn@7.1"
	ro = fixed + " read-only multi-conn"
)

var rows = []row{
	{name: "size-0", size: 0, args: "-f raw disk", has: rw},
	{name: "size-1", size: 1, args: "-f raw disk", has: rw},
	{name: "size-513", size: 513, args: "-f raw disk", has: rw},
	{name: "size-odd", size: size + 3, args: "-f raw disk --discard=unmap", has: rw},
	{name: "detect-zeroes", size: size, args: "-f raw disk --discard=unmap --detect-zeroes=unmap", has: rw},
	{name: "snapshot", size: size, args: "-f raw -s disk", has: rw},
	{name: "vdi", size: size, prepare: "qemu-img create -q -f vdi disk 64M", args: "-f vdi disk", has: rw},
	{name: "offset", size: size - 65536, prepare: "truncate -s 64M disk", args: "-f raw -o 65536 disk", has: rw},
	{
		name: "min-block-4096", size: size, has: rw,
		args: "--image-opts driver=blkdebug,align=4096,image.driver=file,image.filename=disk,image.discard=unmap",
	},
	{
		name: "max", size: 1 << 62, prepare: ":", has: ro,
		args: "-r --image-opts driver=null-co,size=4611686018427387904,read-zeroes=on",
	},
	{
		name: "bitmaps-read-only", since: "6.0", size: size, prepare: "qemu-img create -q -f qcow2 disk 64M\n" +
			"qemu-img bitmap --add --enable disk b0\nqemu-io -f qcow2 -c 'write -P 2 2M 1M' disk >/dev/null",
		args: "-r -A -B b0 -f qcow2 disk", has: ro + " dirty-bitmap allocation-depth",
	},
}

func variants() (profiles []program.Profile) {
	for _, r := range rows {
		profiles = append(profiles, r.profile())
	}
	return profiles
}

func (r row) profile() program.Profile {
	prepare := r.prepare
	if prepare == "" {
		prepare = fmt.Sprintf("truncate -s %d disk", r.size)
	}
	return program.Profile{
		Name: r.name, Since: r.since, Exports: []string{""}, Size: r.size, Variant: true,
		Features: program.Promise(r.has),
		Start: func(p program.Place) program.Launch {
			return program.Launch{Prepare: []string{prepare}, Argv: append(listen(p), strings.Fields(r.args)...)}
		},
	}
}

// listen is how qemu-nbd serves again and again, and more clients at once than
// any spec has.
func listen(p program.Place) []string {
	a := []string{"qemu-nbd", "-t", "-e", "128"}
	if p.Socket != "" {
		return append(a, "-k", p.Socket)
	}
	return append(a, "-b", "0.0.0.0", "-p", strconv.Itoa(p.Port))
}
