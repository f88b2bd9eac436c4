package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/conformance/caller"
	"nbdconform/fuzz/campaign"
)

// replayMoves has a client program visit a server that makes the moves in a file.
func replayMoves(c *cobra.Command, o order, client, path string) error {
	saved, err := campaign.LoadMoves(path)
	if err != nil {
		return err
	}
	if o.Target != "" || o.URI != "" || o.Profile != "" || c.Flags().Changed("export") {
		return errors.New("moves are made by our own server: leave out what says which server")
	}
	if client == "" && len(o.Command) == 0 {
		return fmt.Errorf("%s has the moves of a server: name the client that visits it, with --client or a command behind --", path)
	}
	who := clientOrder{
		Program: client, Command: o.Command, Does: string(saved.Moves.Activity),
		Provider: o.Provider, Suite: o.Suite, Quirk: o.Quirk, Timeout: o.Timeout,
	}
	if err := who.checkProgram(); err != nil {
		return err
	}
	program, err := who.open(c.Context(), func(s string) { fmt.Fprintln(os.Stderr, s) })
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()
	if !program.Can(saved.Moves.Activity, caller.NoTLS) {
		return fmt.Errorf("%s can't %s, which %s is about", client, saved.Moves.Activity, path)
	}
	v, err := campaign.Guest{Caller: program, Timeout: o.Timeout}.Visit(c.Context(), saved.Moves)
	if err != nil {
		return err
	}
	if err := c.Context().Err(); err != nil {
		return err
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "%s: %s\n", saved.Moves.Activity, v.End)
	found := 0
	if f := v.Finding; f != nil {
		found = 1
		fmt.Fprintf(out, "%s\n%s\n", f.Signature, indented(f.Detail))
	}
	return replayed(out, saved.Finding, found == 1 && v.Finding.Signature == saved.Finding, found, "nothing found")
}
