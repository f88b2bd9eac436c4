package configfile

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Size is a number of bytes, written as it is or with a unit: 512, 64K, 1T.
type Size uint64

const units = "KMGTPE"

// Set implements pflag.Value.
func (s *Size) Set(text string) error {
	digits, shift := text, 0
	if n := len(text); n > 0 {
		if i := strings.IndexByte(units, text[n-1]&^0x20); i >= 0 {
			digits, shift = text[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return errors.New("want a number of bytes such as 1048576, 64K, 8M or 1T")
	}
	if bits.Len64(n)+shift > 63 {
		return errors.New("want less than 2^63 bytes")
	}
	*s = Size(n << shift)
	return nil
}

func (s *Size) String() string { return strconv.FormatUint(uint64(*s), 10) }

// Type implements pflag.Value.
func (s *Size) Type() string { return "size" }

// UnmarshalYAML implements [yaml.Unmarshaler].
func (s *Size) UnmarshalYAML(n *yaml.Node) error {
	if err := s.Set(n.Value); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}
