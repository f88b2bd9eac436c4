package clause

import "testing"

func TestAddedLinesOfADiff(t *testing.T) {
	const diff = `diff --git a/a.md b/a.md
--- a/a.md
+++ b/a.md
@@ -1,3 +1,4 @@
 A server MUST stay.
-A server MUST go.
+A server MUST
+come.
+
+* ` + "`NBD_CMD_NEW` (99)" + `
+
+    It MAY wait.
`
	got := Sentences(Added([]byte(diff)))
	if len(got) != 3 || got[0].Text != "A server MUST come." || got[0].Line != 7 || got[2].Section != "NBD_CMD_NEW" {
		t.Errorf("got %+v", got)
	}
}
