package evidence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/reports/result"
)

func TestReadsBundlesOfSchema1(t *testing.T) {
	dir := t.TempDir()
	b := bundle()
	b.Spec.Verdict = result.Warning
	if err := Write(dir, b, Material{Recording: spoken()}); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(dir); err != nil || got.Spec.Verdict != result.Warning {
		t.Fatalf("a warning of schema 2: %s, %v", got.Spec.Verdict, err)
	}
	name := filepath.Join(dir, BundleFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rewritten := func(verdict string) {
		t.Helper()
		former := strings.NewReplacer(`"schemaVersion": "2.0"`, `"schemaVersion": "1.0"`, `"verdict": "warning"`, `"verdict": "`+verdict+`"`).Replace(string(text))
		if err := os.WriteFile(name, []byte(former), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rewritten("weak")
	if got, err := Read(dir); err != nil || got.SchemaVersion != "1.0" || got.Spec.Verdict != result.Warning {
		t.Errorf("a bundle of schema 1: %s %s, %v", got.SchemaVersion, got.Spec.Verdict, err)
	}
	rewritten("warning")
	if _, err := Read(dir); err == nil {
		t.Error("schema 1 has a verdict of schema 2")
	}
}
