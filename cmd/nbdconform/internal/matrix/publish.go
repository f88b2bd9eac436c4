package matrix

import (
	"nbdconform/reports/baseline"
	report "nbdconform/reports/matrix"
	"nbdconform/reports/render"
)

// Publish writes what is public of a matrix: without the crashes that no known
// failure names.
func Publish(m report.Matrix, known []string, dir string) error {
	files, err := baseline.Load(known...)
	if err != nil {
		return err
	}
	m = m.Slim()
	for i := range m.Runs {
		m.Runs[i] = baseline.Public(m.Runs[i], files)
	}
	return render.MatrixTables(dir, m)
}
