package render

import (
	"bytes"
	"encoding/xml"
	"io"

	"nbdconform/reports/result"
)

// A Format is one form in which a run is written down.
type Format struct {
	Name  string // as people ask for it
	File  string // as [All] calls it
	Write func(io.Writer, result.Result) error
}

// Formats are all forms, the one first that the others can be made from.
func Formats() []Format {
	return []Format{
		{"json", "result.json", result.Write},
		{"junit", "junit.xml", JUnit},
		{"html", "index.html", HTML},
		{"markdown", "summary.md", Markdown},
		{"sarif", "result.sarif", SARIF},
		{"tap", "result.tap", TAP},
		{"badge", "badge.svg", Badge},
	}
}

// xmlAttr is text as it may stand in an element or a quoted attribute of XML.
func xmlAttr(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(xmlText(s))) // to memory: can't fail
	return b.String()
}
