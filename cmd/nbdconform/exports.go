package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"nbdconform/cmd/nbdconform/internal/peer"
)

// listExports prints the exports of the server at a URI.
func listExports(ctx context.Context, out io.Writer, p peer.Peer, uri string, asJSON bool) error {
	_, n, err := p.Negotiate(ctx, uri)
	if err != nil {
		return err
	}
	defer func() { _ = n.Close() }()
	exports, err := n.List(ctx)
	if err != nil {
		return fmt.Errorf("asking for the exports: %w", err)
	}
	if err := n.Abort(ctx); err != nil {
		return err
	}
	if asJSON {
		type export struct {
			Name        string `json:"name"`
			Description string `json:"description,omitempty"`
		}
		list := []export{}
		for _, e := range exports {
			list = append(list, export{e.Name, e.Details})
		}
		return writeJSON(out, list)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range exports {
		if e.Details == "" {
			fmt.Fprintf(w, "%q\n", e.Name)
			continue
		}
		fmt.Fprintf(w, "%q\t%s\n", e.Name, printable(e.Details))
	}
	return w.Flush()
}

// printable is text of a server that a terminal can be shown.
func printable(s string) string {
	q := fmt.Sprintf("%+q", s)
	return q[1 : len(q)-1]
}
