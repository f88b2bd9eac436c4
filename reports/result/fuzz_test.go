package result

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRead holds that Read never panics, and that what it accepts is written
// back as a document that reads the same and stands the same.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := Write(&b, example()); err != nil {
		f.Fatal(err)
	}
	good := b.String()
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, `"crash"`, `"fail"`, 1)))
	f.Add([]byte(strings.Replace(good, `"seconds": 12.3`, `"seconds": 1e400`, 1)))
	f.Add([]byte(strings.Replace(good, `"specs"`, `"Specs"`, 1)))
	f.Add([]byte(good[:len(good)/2]))
	f.Add([]byte(`{"schemaVersion":"1.0"}`))
	f.Add([]byte(`{"schemaVersion":"9"}`))
	f.Add([]byte(`[]`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Add([]byte(strings.Repeat("[", 10000)))
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := Read(bytes.NewReader(doc))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Write(&b, r); err != nil {
			t.Fatalf("writing what was read: %v", err)
		}
		again, err := Read(&b)
		if err != nil {
			t.Fatalf("reading what was written: %v", err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("second reading differs (-first +second):\n%s", diff)
		}
		if r.Exit() != again.Exit() {
			t.Errorf("Exit was %d, now %d", r.Exit(), again.Exit())
		}
	})
}
