package nbdserver

import (
	"fmt"
	"strings"

	"nbdconform/containers/internal/program"
)

// size of every export in bytes, unless another is asked for.
const size = 64 * program.MiB

// pidFile is where an nbd-server that goes into the background leaves its process id.
const pidFile = "nbd-server.pid"

// An export is a file of its own and the switches of the configuration file
// that are on for it, or key=value, separated by spaces.
type export struct {
	name, on string
	size     uint64 // of the file, unless prepare makes it
	prepare  string // shell command that makes the file in another way
}

// made is the shell command that makes the file. What has the ordinary size
// gets the one that is asked for.
func (e export) made(wanted uint64) string {
	if e.prepare != "" {
		return e.prepare
	}
	if e.size != size {
		wanted = e.size
	}
	return fmt.Sprintf("truncate -s %d %s", wanted, e.name)
}

// start returns how nbd-server is started with exports, and with further lines
// in the section [generic]. Its configuration wants absolute names, so the shell
// fills in the directory.
func start(exports []export, generic ...string) func(program.Place) program.Launch {
	return func(p program.Place) program.Launch {
		var l program.Launch
		conf := append([]string{"[generic]", "allowlist = true"}, generic...)
		if p.Socket != "" {
			conf = append(conf, "unixsock = "+p.Socket)
		} else {
			conf = append(conf, "listenaddr = 0.0.0.0", fmt.Sprintf("port = %d", p.Port))
		}
		for _, e := range exports {
			l.Prepare = append(l.Prepare, e.made(p.Size))
			conf = append(conf, "["+e.name+"]", "exportname = $PWD/"+e.name)
			for s := range strings.FieldsSeq(e.on) {
				key, value, set := strings.Cut(s, "=")
				if !set {
					value = "true"
				}
				conf = append(conf, key+" = "+value)
			}
		}
		l.Prepare = append(l.Prepare, "cat > conf <<END\n"+strings.Join(conf, "\n")+"\nEND")
		if p.Version.AtLeast("3.26") {
			l.Argv = []string{"nbd-server", "-C", "conf", "-n"}
			return l
		}
		l.Prepare = append(l.Prepare, `nbd-server -C conf -p "$PWD/`+pidFile+`"`)
		l.PIDFile = pidFile
		return l
	}
}
