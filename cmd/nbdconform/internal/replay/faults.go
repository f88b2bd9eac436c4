package replay

import (
	"context"
	"errors"
	"fmt"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance/subject"
	"nbdconform/fuzz/campaign"
)

// faults runs a client program against a server that follows a fault script.
func (r *Request) faults(ctx context.Context, path string) (int, error) {
	saved, err := campaign.LoadFaults(path)
	if err != nil {
		return 0, err
	}
	if r.Target != "" || r.URI != "" || r.Profile != "" || r.Given("export") {
		return 0, errors.New("a fault script runs on the reference server: leave out what says which server")
	}
	if r.Program == "" && len(r.Command) == 0 {
		return 0, fmt.Errorf("%s is a fault script: name the client to run, with --client or a command after --", path)
	}
	who := job.Client{
		Program: r.Program, Command: r.Command, Does: string(saved.Script.Operation),
		Provider: r.Provider, Release: r.Release, Quirk: r.Quirk, Timeout: r.Timeout,
	}
	if err := who.CheckProgram(); err != nil {
		return 0, err
	}
	program, err := who.Open(ctx, r.step)
	if err != nil {
		return 0, err
	}
	defer func() { _ = program.Close() }()
	if !program.Can(saved.Script.Operation, subject.NoTLS) {
		return 0, fmt.Errorf("%s can't %s, which %s is about", r.Program, saved.Script.Operation, path)
	}
	v, err := campaign.Client{Program: program, Timeout: r.Timeout}.Run(ctx, saved.Script)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	fmt.Fprintf(r.Out, "%s: %s\n", saved.Script.Operation, v.End)
	found := 0
	if f := v.Finding; f != nil {
		found = 1
		fmt.Fprintf(r.Out, "%s\n%s\n", f.Signature, console.Indented(f.Detail))
	}
	return r.conclude(saved.Finding, found == 1 && v.Finding.Signature == saved.Finding, found, "nothing found"), nil
}
