package containers

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/program"
)

// openLocal starts p, set up as s, as a child process.
func openLocal(ctx context.Context, p program.Program, s program.Profile) (subject.Server, error) {
	if _, err := exec.LookPath(p.Name); err != nil {
		return nil, fmt.Errorf("%s is not on PATH: apt-get install %s", p.Name, p.Package)
	}
	v := installedVersion(ctx, p)
	if err := p.Check(s, v, "this machine"); err != nil {
		return nil, err
	}
	command := s.Start(program.Place{Socket: socketMark, Version: v, Size: s.Size}).Command()
	id := subject.Identity{Name: p.Name, Provider: Local, Version: string(v), Command: command}
	return openProcess(ctx, id, s.Describe(v), "")
}

// Command starts any server: argv is its command line, in which {socket}
// stands for the path of the Unix socket that it shall listen on, or {port} for
// a TCP port of 127.0.0.1. It runs in the present directory and must stay in
// the foreground. The caller describes in profile what it serves; an empty profile
// promises nothing and forbids writing.
func Command(ctx context.Context, argv []string, profile subject.Profile) (subject.Server, error) {
	if len(argv) == 0 {
		return nil, errors.New("starting a server: the command is empty")
	}
	if profile.Name == "" {
		profile.Name = "command"
	}
	id := subject.Identity{Name: filepath.Base(argv[0]), Provider: Local, Command: slices.Clone(argv)}
	return openProcess(ctx, id, profile, ".")
}

// openProcess starts id's command in workdir, or, where that is "", in an
// empty directory for every start.
func openProcess(ctx context.Context, id subject.Identity, profile subject.Profile, workdir string) (subject.Server, error) {
	return open(ctx, &server{
		id:      id,
		profile: profile,
		start: func(ctx context.Context) (instance, error) {
			return startProcess(ctx, id.Command, workdir)
		},
	})
}

var dottedNumber = regexp.MustCompile(`\d+(\.\d+)+`)

// installedVersion asks the package database, as some programs print another
// number than their package has, and then the program itself.
func installedVersion(ctx context.Context, p program.Program) program.Version {
	if v := program.Installed(ctx, p.Package); v != "" {
		return v
	}
	out, _ := exec.CommandContext(ctx, p.Name, "--version").CombinedOutput()
	return program.Version(dottedNumber.Find(out))
}
