package render

import (
	"strings"

	"nbdconform/reports/result"
)

// A paint colours text for a terminal, or doesn't.
type paint bool

// The select graphic rendition codes that the terminal output uses.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	purple = "35"
	cyan   = "36"
)

func (p paint) as(s string, codes ...string) string {
	if !p || s == "" || len(codes) == 0 {
		return s
	}
	return "\x1b[" + strings.Join(codes, ";") + "m" + s + "\x1b[0m"
}

func colourOf(v result.Verdict) string {
	switch v {
	case result.Pass:
		return green
	case result.Warning, result.Blocked:
		return yellow
	case result.Fail, result.Crash, result.Hang:
		return red
	case result.Error, result.Inconclusive:
		return purple
	}
	return dim
}

func conclusionColour(r result.Result) string {
	switch r.Exit() {
	case result.ExitConforms:
		return green
	case result.ExitFails:
		return red
	}
	return purple
}
