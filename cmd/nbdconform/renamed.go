package main

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
)

// renamed are flags by their former names. Debian's suites are releases here:
// only ours is a suite.
var renamed = map[string]string{"suite": "release", "suites": "releases"}

// renaming has flags understood by their former names too, and says so once.
func renaming(out io.Writer) func(*pflag.FlagSet, string) pflag.NormalizedName {
	told := false
	return func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		current, ok := renamed[name]
		if !ok {
			return pflag.NormalizedName(name)
		}
		if !told {
			fmt.Fprintf(out, "nbdconform: --%s is now --%s\n", name, current)
		}
		told = true
		return pflag.NormalizedName(current)
	}
}
