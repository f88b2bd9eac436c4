package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/conformance/clause"
)

func specCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "spec-check FILE",
		Short: "Compare the clause catalogue with the protocol document",
		Long: `Spec-check reports normative sentences of the document that no clause covers,
and clauses whose sentence is not in the document any more.`,
		Example: "  nbdconform spec-check proto.md",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			md, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			problems := clause.Check(md, "proto", clause.All())
			for _, p := range problems {
				fmt.Println(p)
			}
			if len(problems) > 0 {
				return &exitError{status: exitViolates, text: fmt.Sprintf("%d differences", len(problems))}
			}
			fmt.Printf("%d clauses agree with %s\n", len(clause.All()), args[0])
			return nil
		},
	}
}
