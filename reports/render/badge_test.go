package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestBadgeIsWellFormedAndSaysHowItEnded(t *testing.T) {
	for name, r := range samples() {
		doc := rendered(t, r, Badge)
		d := xml.NewDecoder(bytes.NewReader(doc))
		var text strings.Builder
		elements := 0
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, doc)
			}
			switch tok := tok.(type) {
			case xml.StartElement:
				if elements++; !slices.Contains([]string{"svg", "title", "rect", "g", "text"}, tok.Name.Local) || tok.Name.Space != "http://www.w3.org/2000/svg" {
					t.Errorf("%s: <%s>", name, tok.Name.Local)
				}
			case xml.CharData:
				text.Write(tok)
			}
		}
		want := map[int]string{0: "conforms", 1: "broken", 2: "not to be trusted"}[r.Exit()]
		if elements != 7 || !strings.Contains(text.String(), want) || len(doc) > 2<<10 {
			t.Errorf("%s: %d elements, %d bytes, no %q in %q", name, elements, len(doc), want, text.String())
		}
	}
}
