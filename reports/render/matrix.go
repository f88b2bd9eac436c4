package render

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"nbdconform/reports/matrix"
)

// MatrixFiles writes every form of m into dir, which it makes if need be:
// matrix.json, matrix.md and index.html.
func MatrixFiles(dir string, m matrix.Matrix) error {
	return matrixFiles(dir, m, matrixFile{"matrix.json", matrix.Write}, matrixFile{"matrix.md", MatrixMarkdown}, matrixFile{"index.html", MatrixHTML})
}

// MatrixTables is MatrixFiles without the page.
func MatrixTables(dir string, m matrix.Matrix) error {
	return matrixFiles(dir, m, matrixFile{"matrix.json", matrix.Write}, matrixFile{"matrix.md", MatrixMarkdown})
}

type matrixFile struct {
	name  string
	write func(io.Writer, matrix.Matrix) error
}

func matrixFiles(dir string, m matrix.Matrix, files ...matrixFile) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making report directory: %w", err)
	}
	for _, f := range files {
		if err := Replace(filepath.Join(dir, f.name), func(w io.Writer) error { return f.write(w, m) }); err != nil {
			return fmt.Errorf("writing %s: %w", f.name, err)
		}
	}
	return nil
}

// MatrixTerminal writes what fits a terminal: the servers with their counts,
// and what the client programs did with them.
func MatrixTerminal(w io.Writer, m matrix.Matrix) error {
	var b strings.Builder
	b.WriteString(serverSheet(m).terminal())
	for _, server := range m.Servers() {
		if s := pairingSheet(m, server); len(s.rows) > 0 {
			b.WriteString("\n" + s.terminal())
		}
	}
	for _, s := range m.Skipped {
		fmt.Fprintf(&b, "skipped: %s: %s\n", visible(s.What), visible(oneLine(s.Why, 200)))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing matrix: %w", err)
	}
	return nil
}

// MatrixMarkdown writes all tables of a matrix.
func MatrixMarkdown(w io.Writer, m matrix.Matrix) error {
	var b bytes.Buffer
	b.WriteString("# NBD interoperability matrix\n\n")
	if len(m.Runs) > 0 {
		r := m.Runs[0]
		fmt.Fprintf(&b, "%s %s against %s, on %s, %d runs in %.0f s.\n\n", markdownText(r.Suite.Name), markdownText(r.Suite.Version),
			markdownText(strings.TrimSpace(r.Document.Name+" "+r.Document.Revision)), m.Made.Format("2006-01-02"), len(m.Runs), m.Seconds)
	}
	sheets := []sheet{serverSheet(m)}
	for _, name := range programs(m) {
		sheets = append(sheets, brokenSheet(m, name))
	}
	for _, server := range m.Servers() {
		sheets = append(sheets, pairingSheet(m, server))
	}
	for _, name := range programs(m) {
		sheets = append(sheets, featureSheet(m, name))
	}
	for _, d := range m.Documented() {
		sheets = append(sheets, documentedSheet(d))
	}
	sheets = append(sheets, changeSheet(m))
	for _, name := range programs(m) {
		sheets = append(sheets, observationSheet(m, name))
	}
	sheets = append(sheets, speedSheets(m)...)
	for _, s := range sheets {
		if len(s.rows) > 0 {
			b.WriteString(s.markdown())
		}
	}
	if len(m.Skipped) > 0 {
		b.WriteString("### Missing\n\n")
		for _, s := range m.Skipped {
			fmt.Fprintf(&b, "- %s: %s\n", markdownText(s.What), markdownText(oneLine(s.Why, 300)))
		}
		b.WriteString("\n")
	}
	b.WriteString("### Images\n\n")
	for _, p := range m.Subjects() {
		if p.Image != "" {
			fmt.Fprintf(&b, "- %s: %s\n", markdownText(peerName(p)), markdownCode(p.Image))
		}
	}
	b.WriteString("\n### Made by\n\n" + fenced(m.Reproduce, "sh"))
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing matrix: %w", err)
	}
	return nil
}
