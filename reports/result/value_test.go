package result

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A LBACode is an error that is a number with a name.
type LBACode uint32

func (LBACode) String() string  { return "EIO" }
func (c LBACode) Error() string { return c.String() }

func TestValueOfErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		in   any
		want Value
	}{
		"a number with a name": {LBACode(5), Value{Type: "lba-code", Name: "EIO", Number: 5}},
		"a text":               {errors.New("no such file"), Value{Type: TextValue, Text: "no such file"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ValueOf(tc.in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
