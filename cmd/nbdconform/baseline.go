package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/reports/baseline"
	"nbdconform/reports/render"
)

func baselineCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "baseline",
		Short:   "Keep a file of known failures",
		Example: `  nbdconform baseline update reports/out/nbdkit-trixie --baseline known.yaml`,
	}
	c.AddCommand(baselineUpdateCommand(), baselineMigrateCommand())
	return c
}

func baselineUpdateCommand() *cobra.Command {
	var file string
	var withhold []string
	var dry bool
	var w told
	c := &cobra.Command{
		Use:   "update RESULT --baseline FILE",
		Short: "Make a baseline agree with a result",
		Long: `Update edits the file in place and prints what it changed. It leaves alone
what it need not touch. New entries get reason: TODO, which the gate refuses
until a reason says why the failure is tolerated.`,
		Example: `  nbdconform baseline update reports/out/nbdkit-trixie --baseline known.yaml
  nbdconform baseline update result.json --baseline known.yaml --dry-run`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if file == "" {
				return errors.New("no baseline: name one with --baseline")
			}
			r, err := w.readComparable(args[0])
			if err != nil {
				return err
			}
			f, err := openBaseline(file)
			if err != nil {
				return err
			}
			changes, err := baseline.Update(f, r, withhold, time.Now())
			if err != nil {
				return err
			}
			for _, c := range changes {
				printChange(c)
			}
			if !dry {
				if err := rewrite(file, f.Bytes()); err != nil {
					return fmt.Errorf("writing baseline: %w", err)
				}
			}
			fmt.Println(updated(file, len(changes), dry))
			return nil
		},
	}
	c.Flags().StringVar(&file, "baseline", "", "file of known failures; made if it does not exist")
	c.Flags().StringArrayVar(&withhold, "withhold", nil, "spec whose failure is not public: its entry does not say what it is")
	c.Flags().BoolVar(&dry, "dry-run", false, "print the changes and write nothing")
	w.flags(c)
	return c
}

// rewrite puts text in a file that people wrote: it is there as it was, or as
// it is to be.
func rewrite(file string, text []byte) error {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	return render.Replace(file, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func openBaseline(name string) (*baseline.File, error) {
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		return baseline.Empty(name), nil
	}
	files, err := baseline.Load(name)
	if err != nil {
		return nil, err
	}
	if files[0].Name != name {
		return nil, fmt.Errorf("%s is a directory: name one file", name)
	}
	return &files[0], nil
}

func printChange(c baseline.Change) {
	printSigned("-", c.Before)
	printSigned("+", c.After)
	fmt.Println()
}

func printSigned(sign, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Println(sign + line)
	}
}

func updated(file string, n int, dry bool) string {
	switch {
	case n == 0:
		return file + ": nothing to change"
	case dry:
		return fmt.Sprintf("%s: %d entries would change", file, n)
	case n == 1:
		return file + ": 1 entry changed; give a reason where it says TODO"
	}
	return fmt.Sprintf("%s: %d entries changed; give reasons where they say TODO", file, n)
}
