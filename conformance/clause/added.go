package clause

import "bytes"

// Added returns the lines that a unified diff adds, each where it stands in
// the diff; the other lines are empty. So the sentences of an extension that
// is published as a diff have the lines of that diff.
func Added(diff []byte) []byte {
	lines := bytes.Split(diff, []byte("\n"))
	inside := false // a hunk
	for i, l := range lines {
		switch {
		case bytes.HasPrefix(l, []byte("@@ ")):
			inside = true
		case bytes.HasPrefix(l, []byte("diff ")):
			inside = false
		case inside && bytes.HasPrefix(l, []byte("+")):
			lines[i] = l[1:]
			continue
		}
		lines[i] = nil
	}
	return bytes.Join(lines, []byte("\n"))
}
