package main

import (
	"runtime/debug"
	"strings"
)

// stamped is set by the Makefile: -X main.stamped=...
var stamped string

// version is the suite's version: what the Makefile stamped, or what the Go
// toolchain recorded.
func version() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return strings.Trim(info.Main.Version, "()")
}
