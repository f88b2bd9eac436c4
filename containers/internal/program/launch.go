package program

import (
	"fmt"
	"slices"
	"strings"
)

// A Place is where a server shall listen and what it is. Socket is the path of
// a Unix socket; where it is "", the server listens on TCP port Port of every address.
type Place struct {
	Socket  string
	Port    int
	Version Version
	Size    uint64 // of the exports, in bytes: Setup.Size, or what was asked for
}

// A Launch is how a server is started. All of it runs in a directory that is
// empty, private to this one start, and writable.
type Launch struct {
	Prepare []string // shell commands that come first, such as the making of a disk
	Argv    []string // the server, which stays in the foreground
	// PIDFile takes the place of Argv for a server that always goes into
	// the background, as the last command of Prepare does: it names the file
	// that will have its process id.
	PIDFile string
	// Durable has the server started again each time that [CrashCommand] kills
	// it, and only then. Again are shell commands that come before every start.
	Durable     bool
	BeforeStart []string
}

// CrashCommand kills the server of a Launch that is Durable. It runs in the
// directory of the server.
var CrashCommand = []string{"sh", "-ec", `: > again
server=$(cat server)
kill -KILL "$server" $(cat "/proc/$server/task/$server/children" 2>/dev/null || :)`}

// restartScript is the shell that a durable server runs under. It ends as the server
// does, except when the server was killed on purpose.
const restartScript = `trap 'kill "$(cat server)"; wait; exit 143' TERM
while :; do
	%s%s &
	echo $! > server
	status=0
	wait $! || status=$?
	[ -e again ] || exit $status
	rm -f again
done`

// Command returns the one command line that does all of l.
func (l Launch) Command() []string {
	lines := slices.Clone(l.Prepare)
	switch {
	case l.PIDFile != "":
		lines = slices.Concat([]string{fmt.Sprintf(stopScript, l.PIDFile)}, lines, []string{watchScript})
	case l.Durable:
		again := ""
		for _, c := range l.BeforeStart {
			again += c + "\n\t"
		}
		lines = append(lines, fmt.Sprintf(restartScript, again, quote(l.Argv)))
	case len(lines) == 0:
		return l.Argv
	default:
		lines = append(lines, "exec "+quote(l.Argv))
	}
	return []string{"sh", "-ec", strings.Join(lines, "\n")}
}

// A shell in the foreground watches a server in the background. Only its parent
// could learn how the server ended, and its parent has exited.
// The shell passes SIGTERM on, and soon after SIGKILL to the whole session, as
// nbd-server takes seconds to notice the first. A zombie has exited, even where
// no process reaps it.
const (
	stopScript = `known() {
	until [ -s %[1]s ]; do sleep 0.02; done
	server=$(cat %[1]s)
}
alive() {
	read -r _ _ state _ < "/proc/$server/stat" && [ "$state" != Z ]
}
end() {
	[ -n "$server" ] || known
	kill "$server"
	for i in 1 2 3; do alive || return 0; sleep 0.05; done
	kill -KILL "-$server"
}
server=
trap 'end 2>/dev/null || :' TERM`

	watchScript = `known
while alive 2>/dev/null; do sleep 0.2 & wait $! || :; done
echo "the server in the background has ended; how is not known" >&2
exit 1`
)

// quote writes argv so that a shell reads it back.
func quote(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n'\"\\$`*?[]{}()<>|&;!#~") {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
