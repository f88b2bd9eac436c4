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

// moves has a client program connect to a server that makes the faults in a file.
func (r *Request) moves(ctx context.Context, path string) (int, error) {
	saved, err := campaign.LoadMoves(path)
	if err != nil {
		return 0, err
	}
	if r.Target != "" || r.URI != "" || r.Profile != "" || r.Given("export") {
		return 0, errors.New("moves are made by our own server: leave out what says which server")
	}
	if r.Program == "" && len(r.Command) == 0 {
		return 0, fmt.Errorf("%s has the moves of a server: name the client that visits it, with --client or a command after --", path)
	}
	who := job.Client{
		Program: r.Program, Command: r.Command, Does: string(saved.Moves.Operation),
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
	if !program.Can(saved.Moves.Operation, subject.NoTLS) {
		return 0, fmt.Errorf("%s can't %s, which %s is about", r.Program, saved.Moves.Operation, path)
	}
	v, err := campaign.Guest{Program: program, Timeout: r.Timeout}.Visit(ctx, saved.Moves)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	fmt.Fprintf(r.Out, "%s: %s\n", saved.Moves.Operation, v.End)
	found := 0
	if f := v.Finding; f != nil {
		found = 1
		fmt.Fprintf(r.Out, "%s\n%s\n", f.Signature, console.Indented(f.Detail))
	}
	return r.conclude(saved.Finding, found == 1 && v.Finding.Signature == saved.Finding, found, "nothing found"), nil
}
