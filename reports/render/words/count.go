package words

import "fmt"

// Count is a number with its noun: Count(1, "spec", "specs") is "1 spec",
// Count(2, "spec", "specs") is "2 specs".
func Count[N ~int | ~uint64](n N, one, many string) string {
	return fmt.Sprintf("%d %s", n, Pick(n, one, many))
}

// Pick is the word that goes with a number.
func Pick[N ~int | ~uint64](n N, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
