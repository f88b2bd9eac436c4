package render

import (
	"fmt"
	"io"
	"unicode/utf8"

	"nbdconform/reports/result"
)

// Badge writes a small picture, as SVG, that says how a run ended: the target's
// name and the conclusion, which a colour repeats and does not replace.
func Badge(w io.Writer, r result.Result) error {
	left := oneLine(visible("NBD: "+r.Target.Name), 40)
	n := counted(r).Summary
	right := r.Conclusion()
	if broken := n[result.Fail] + n[result.Crash] + n[result.Hang]; r.Exit() == result.ExitFails {
		right = fmt.Sprintf("%d of %d broken", broken, broken+n[result.Pass]+n[result.Warning])
	}
	fill := map[int]string{result.ExitConforms: "#1a6e33", result.ExitFails: "#a51d2d"}[r.Exit()]
	if fill == "" {
		fill = "#6b5200"
	}
	// Widths are guesses that textLength makes true.
	const pad, char, height = 6, 7, 20
	l, m := char*utf8.RuneCountInString(left), char*utf8.RuneCountInString(right)
	lw, rw := l+2*pad, m+2*pad
	title := xmlAttr(left + ": " + right)
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" role="img" aria-label="%s">
<title>%s</title>
<rect width="%d" height="%d" rx="3" fill="#444"/>
<rect x="%d" width="%d" height="%d" rx="3" fill="%s"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>
<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>
</g>
</svg>
`, lw+rw, height, title, title, lw+rw, height, lw, rw, height, fill, pad, l, xmlAttr(left), lw+pad, m, xmlAttr(right))
	if err != nil {
		return fmt.Errorf("writing badge: %w", err)
	}
	return nil
}
