package nbdserver

import "nbdconform/containers/internal/program"

// A row is a profile with one export that is named "disk".
type row struct {
	name, since string
	size        uint64
	on          string   // switches and settings of the export
	prepare     string   // makes its file or files; "": as many bytes as size has
	generic     []string // further lines of the section [generic]
	has         string   // what it promises; see program.Promise
}

const (
	fixed  = "list info structured-reply@3.26 df@3.26"
	rw     = fixed + " write-zeroes multi-conn"
	synced = rw + " flush fua trim"
	all    = "flush fua trim"
)

var rows = []row{
	{name: "size-0", size: 0, on: all, has: synced},
	{name: "size-513", size: 513, on: all, has: synced},
	{name: "huge", size: 6 * 1024 * program.MiB, on: all, has: synced},
	{name: "temporary", size: size, on: all + " temporary", has: synced},
	{name: "sparse-cow", size: size, on: "copyonwrite sparse_cow", has: fixed + " write-zeroes"},
	{
		name: "multifile", size: 4 * program.MiB, on: all + " multifile",
		prepare: "truncate -s 1M disk.0 disk.2; truncate -s 2M disk.1", has: synced,
	},
	{name: "treefiles", size: 8 * program.MiB, on: "treefiles filesize=8388608", prepare: "mkdir disk", has: rw},
	{
		name: "switches", size: 1 << 20, prepare: "truncate -s 2M disk",
		on:      all + " sync datalog transactionlog=$PWD/log maxconnections=64 filesize=1048576",
		generic: []string{"max_threads = 1"}, has: synced,
	},
	{name: "unlisted", size: size, on: all, generic: []string{"allowlist = false"}, has: synced + " -list"},
}

// refusing is a profile with an export that no client here may open.
func refusing() program.Profile {
	s := profile("refusing", []string{"flush", "fua", "trim", "write-zeroes", "multi-conn"},
		disk("disk", all), disk("denied", "authfile=$PWD/nobody"))
	launch := s.Start
	s.Start = func(p program.Place) program.Launch {
		l := launch(p)
		l.Prepare = append([]string{"echo 192.0.2.1 > nobody"}, l.Prepare...)
		return l
	}
	return s
}

func variants() []program.Profile {
	profiles := []program.Profile{refusing()}
	for _, r := range rows {
		profiles = append(profiles, program.Profile{
			Name: r.name, Since: r.since, Export: "disk", Exports: []string{"disk"}, Size: r.size,
			Features: program.Promise(r.has),
			Start:    start([]export{{name: "disk", on: r.on, size: r.size, prepare: r.prepare}}, r.generic...),
		})
	}
	for i := range profiles {
		profiles[i].Variant = true
	}
	return profiles
}
