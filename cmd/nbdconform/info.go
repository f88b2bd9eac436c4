package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	human "github.com/docker/go-units"
	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/peer"
	"nbdconform/reference/wire"
)

func infoCommand() *cobra.Command {
	p := peer.Peer{Infos: []wire.InfoType{wire.InfoName, wire.InfoDescription, wire.InfoInitState}}
	var asJSON bool
	c := &cobra.Command{
		Use:   "info URI",
		Short: "Say what a server offers for an export",
		Example: `  nbdconform info nbd://localhost:10809/disk
  nbdconform info 'nbd+unix:///?socket=/tmp/nbd.sock' --json`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			about, err := p.Info(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), about)
			}
			return writeInfo(c.OutOrStdout(), about)
		},
	}
	peerFlags(&p, c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// writeInfo prints what a server says for people.
func writeInfo(out io.Writer, s peer.Info) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, value string) { fmt.Fprintf(w, "%s:\t%s\n", name, value) }
	list := func(name string, values []string) {
		for i, row := range rows(values, 62) {
			if i == 0 {
				line(name, row)
			} else {
				fmt.Fprintf(w, "\t%s\n", row)
			}
		}
	}
	line("export", fmt.Sprintf("%q", s.Export))
	if s.Canonical != "" && s.Canonical != s.Export {
		line("canonical name", fmt.Sprintf("%q", s.Canonical))
	}
	if s.Description != "" {
		line("description", fmt.Sprintf("%q", s.Description))
	}
	line("size", fmt.Sprintf("%d (%s)", s.Size, human.BytesSize(float64(s.Size))))
	if s.Constraints != nil {
		line("block sizes", fmt.Sprintf("minimum %d, preferred %d, maximum payload %d",
			s.Constraints.Minimum, s.Constraints.Preferred, s.Constraints.MaxPayload))
	}
	list("flags", s.Flags)
	list("contexts", s.Contexts)
	if s.InitState != "" {
		line("initial state", s.InitState)
	}
	line("negotiation", s.Negotiation)
	line("replies", s.Replies)
	if s.TLS != "" {
		line("TLS", s.TLS)
	}
	return w.Flush()
}

// rows puts values on lines, none of them longer than width unless a value is.
func rows(values []string, width int) (list []string) {
	for i, v := range values {
		if i < len(values)-1 {
			v += ","
		}
		if last := len(list) - 1; last >= 0 && len(list[last])+1+len(v) <= width {
			list[last] += " " + v
		} else {
			list = append(list, v)
		}
	}
	return list
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
