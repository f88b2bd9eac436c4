package nbdserver

import (
	"fmt"
	"strings"

	"nbdconform/containers/program"
)

// size of every export in bytes.
const size = 64 * program.MiB

// pidFile is where an nbd-server that goes into the background leaves its process id.
const pidFile = "nbd-server.pid"

// An export is a file of its own and the switches of the configuration file
// that are on for it, separated by spaces.
type export struct{ name, on string }

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
			l.Prepare = append(l.Prepare, fmt.Sprintf("truncate -s %d %s", size, e.name))
			conf = append(conf, "["+e.name+"]", "exportname = $PWD/"+e.name)
			for s := range strings.FieldsSeq(e.on) {
				conf = append(conf, s+" = true")
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
