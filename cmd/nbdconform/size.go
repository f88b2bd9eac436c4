package main

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// A sizeValue is a size in bytes on the command line: 512, 64K, 1T.
type sizeValue uint64

const units = "KMGTPE"

// Set implements pflag.Value.
func (s *sizeValue) Set(text string) error {
	digits, shift := text, 0
	if n := len(text); n > 0 {
		if i := strings.IndexByte(units, text[n-1]&^0x20); i >= 0 {
			digits, shift = text[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return fmt.Errorf("want a number of bytes such as 1048576, 64K, 8M or 1T")
	}
	if bits.Len64(n)+shift > 63 {
		return fmt.Errorf("want less than 2^63 bytes")
	}
	*s = sizeValue(n << shift)
	return nil
}

func (s *sizeValue) String() string { return strconv.FormatUint(uint64(*s), 10) }

// Type implements pflag.Value.
func (s *sizeValue) Type() string { return "size" }
