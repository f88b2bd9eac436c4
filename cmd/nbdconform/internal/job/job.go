package job

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/containers"
	"nbdconform/reference/wire"
	"nbdconform/reports/evidence"
)

// A Job is all that a run depends on.
type Job struct {
	Target       string   // "reference", a program that package containers knows, or "" with URI or Command
	URI          string   // any server
	Command      []string // a server to start; {socket} or {port} stand for where it listens
	Provider     string   // "container" or "local"
	Release      string   // of Debian, where the container comes from
	Profile      string
	Quirk        string // of the reference server
	Dialect      string // that the server at URI, or of Command, was told to speak
	Export       *string
	Destructive  bool
	Filter       string
	Seed         int64
	Timeout      time.Duration
	EvidenceDir  string  // directory of the result, where evidence goes; "": none is kept
	EvidenceRoom int     // for recordings of the evidence, bytes; 0: as much as a single run may take
	Client       *Client // a client to judge in place of a server, or nil
}

// Reference is the name of the server, and of the client, in this process.
const Reference = "reference"

// Limits are those of the evidence.
func (j *Job) Limits() evidence.Limits {
	l := evidence.DefaultLimits
	if j.EvidenceRoom > 0 {
		l.Bytes = min(l.Bytes, j.EvidenceRoom)
	}
	return l
}

// Check finds what can be said to be wrong without starting anything.
func (j *Job) Check() error {
	if rest, ok := strings.CutPrefix(j.Target, "uri:"); ok {
		j.Target, j.URI = "", rest
	}
	named := j.Target != ""
	switch {
	case named && j.URI != "" || j.URI != "" && len(j.Command) > 0 || named && len(j.Command) > 0:
		return errors.New("name one thing to test: --target, --uri or a command after --")
	case !named && j.URI == "" && len(j.Command) == 0:
		j.Target = Reference
	}
	switch targets := append([]string{Reference}, Targets()...); {
	case j.Target != "" && !slices.Contains(targets, j.Target):
		return fmt.Errorf("unknown target %q: use one of %s or uri:URI", j.Target, strings.Join(targets, ", "))
	case j.Quirk != "" && j.Target != Reference:
		return errors.New("--quirk goes with --target reference")
	case j.Profile != "" && j.Target == "":
		return errors.New("--profile goes with --target")
	case j.Dialect != "" && j.Target != "":
		return errors.New("--dialect goes with --uri or a command; the reference server has profiles of them")
	case j.Provider != containers.Container && j.Provider != containers.Local:
		return fmt.Errorf("unknown provider %q: use %s or %s", j.Provider, containers.Container, containers.Local)
	case !slices.Contains(Releases(), j.Release):
		return fmt.Errorf("unknown release %q: use one of %s", j.Release, strings.Join(Releases(), ", "))
	case j.Timeout < 0:
		return errors.New("--timeout can't be negative")
	}
	if _, err := wire.DialectOf(j.Dialect); err != nil {
		return err
	}
	if j.URI != "" {
		_, _, err := subject.NewRemoteServer(j.URI, false)
		return err
	}
	return nil
}

// Open starts, or finds, what the job names.
func (j *Job) Open(ctx context.Context, progress func(string)) (subject.Server, error) {
	switch {
	case j.Target == Reference:
		return referenceserver.Open(j.Profile, j.Quirk)
	case j.URI != "":
		a, warnings, err := subject.NewRemoteServer(j.URI, j.Destructive)
		for _, w := range warnings {
			progress(fmt.Sprint("warning: ", w))
		}
		if err == nil {
			a.SetDialect(j.dialect())
		}
		return a, err
	case len(j.Command) > 0:
		if _, err := exec.LookPath(j.Command[0]); err != nil {
			return nil, err
		}
		return containers.Command(ctx, j.Command, subject.Profile{
			Name: "command", Destructive: true, Dialect: j.dialect(),
		})
	default:
		return containers.Open(ctx, containers.Request{
			Target: j.Target, Provider: j.Provider, Release: j.Release, Profile: j.Profile, Progress: progress,
		})
	}
}

// dialect is that of a server which is not ours to set up. The job was checked.
func (j *Job) dialect() wire.Dialect {
	d, _ := wire.DialectOf(j.Dialect)
	return d
}
