// Sentences prints the normative sentences of a document with their
// fingerprints, for whoever writes clauses:
//
//	go run ./conformance/clause/sentences FILE [FROM-LINE TO-LINE]
//
// Of a diff it takes the lines that are added. Each line reads "LINE FINGERPRINT SECTION | text". With -all it prints the
// other sentences as well.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"nbdconform/conformance/clause"
)

func main() {
	all := flag.Bool("all", false, "print sentences without normative words too")
	flag.Parse()
	if err := run(flag.Args(), *all); err != nil {
		fmt.Fprintln(os.Stderr, "sentences:", err)
		os.Exit(2)
	}
}

func run(args []string, all bool) error {
	if len(args) != 1 && len(args) != 3 {
		return fmt.Errorf("usage: sentences [-all] FILE [FROM-LINE TO-LINE]")
	}
	md, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if filepath.Ext(args[0]) == ".diff" {
		md = clause.Added(md)
	}
	from, to := 1, len(md)+1
	if len(args) == 3 {
		if from, err = strconv.Atoi(args[1]); err != nil {
			return fmt.Errorf("reading FROM-LINE: %w", err)
		}
		if to, err = strconv.Atoi(args[2]); err != nil {
			return fmt.Errorf("reading TO-LINE: %w", err)
		}
	}
	for _, s := range clause.Sentences(md) {
		if s.Line >= from && s.Line <= to && (all || s.Normative()) {
			fmt.Printf("%d %s %s | %s\n", s.Line, s.Fingerprint, s.Section, s.Text)
		}
	}
	return nil
}
