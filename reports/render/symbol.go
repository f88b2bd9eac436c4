package render

import "nbdconform/reports/result"

// symbol is a sign for v that doesn't depend on colour. It always stands
// beside the word.
func symbol(v result.Verdict) string {
	switch v {
	case result.Pass:
		return "✓"
	case result.Warning:
		return "≈"
	case result.Fail:
		return "✗"
	case result.Crash:
		return "✸"
	case result.Hang:
		return "∞"
	case result.Blocked:
		return "⊘"
	case result.Unsupported:
		return "–"
	case result.Skipped:
		return "»"
	case result.Inconclusive:
		return "?"
	}
	return "!"
}

func conclusionSymbol(r result.Result) string {
	switch r.Exit() {
	case result.ExitConforms:
		return symbol(result.Pass)
	case result.ExitFails:
		return symbol(result.Fail)
	}
	return symbol(result.Error)
}
