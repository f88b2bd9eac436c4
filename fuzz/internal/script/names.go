package script

import (
	"fmt"
	"strconv"
	"strings"
)

// named finds the value that prints as a word: a name of the document's, or
// what a value without one prints as, such as "Option(99)".
func named[T interface {
	~uint16 | ~uint32
	String() string
}](word string) (T, bool) {
	const names = 32 // no option, command or information has a higher number
	for i := range uint32(names) {
		if v := T(i); v.String() == word {
			return v, true
		}
	}
	i := strings.IndexByte(word, '(')
	if i < 0 || !strings.HasSuffix(word, ")") {
		return 0, false
	}
	n, err := strconv.ParseUint(word[i+1:len(word)-1], 0, 64)
	v := T(n)
	return v, err == nil && uint64(v) == n && v.String() == word
}

// parseFlags reads flags as they print: "FUA|NO_HOLE|0x40".
func parseFlags[T interface {
	~uint16 | ~uint32
	String() string
}](text string) (T, error) {
	var all T
	for _, word := range strings.Split(text, "|") {
		if n, err := strconv.ParseUint(word, 0, 64); err == nil {
			if all |= T(n); uint64(T(n)) != n {
				return 0, fmt.Errorf("flags %q don't fit", word)
			}
			continue
		}
		bit := T(1)
		for bit != 0 && bit.String() != word {
			bit <<= 1
		}
		if bit == 0 {
			return 0, fmt.Errorf("%q is no flag", word)
		}
		all |= bit
	}
	return all, nil
}
