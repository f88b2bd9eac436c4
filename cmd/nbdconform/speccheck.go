package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/conformance/clause"
)

func specCheckCommand() *cobra.Command {
	var document string
	c := &cobra.Command{
		Use:   "spec-check FILE",
		Short: "Compare the clause catalogue with the protocol document",
		Long: `Spec-check reports normative sentences of the document that no clause covers,
and clauses whose sentence is not in the document any more. What an extension's
document repeats of the main one needs no second clause. Of a unified diff, what
it adds is the document.`,
		Example: "  nbdconform spec-check proto.md\n  nbdconform spec-check --document extended-headers proto-extended-headers.md\n  nbdconform spec-check --document resize resize-extension.diff",
		Args:    arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			md, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			all := clause.All()
			about := 0
			for _, c := range all {
				if c.Document == document {
					about++
				}
			}
			if about == 0 {
				return fmt.Errorf("the catalogue has no document %q", document)
			}
			if bytes.HasPrefix(md, []byte("diff ")) || bytes.Contains(md, []byte("\n@@ ")) {
				md = clause.Added(md)
			}
			problems := clause.Check(md, document, all)
			for _, p := range problems {
				fmt.Println(p)
			}
			if len(problems) > 0 {
				return &exitError{status: exitViolates, text: fmt.Sprintf("%d differences", len(problems))}
			}
			fmt.Printf("%d clauses agree with %s\n", about, args[0])
			return nil
		},
	}
	c.Flags().StringVar(&document, "document", "proto", "the document that FILE is a revision of: proto,\nextended-headers, uri or resize")
	return c
}
