package campaign

import (
	"regexp"
	"slices"
	"strings"
)

// faults are what programs, C libraries and sanitizers write where the program
// itself is at fault, whatever the client did.
var faults = regexp.MustCompile(`AddressSanitizer|LeakSanitizer|MemorySanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error: |` +
	`[Aa]ssertion .*failed|assertion failed|code should not be reached|-CRITICAL \*\*|` +
	`[Ss]egmentation fault|SIGSEGV|SIGABRT|SIGBUS|stack smashing detected|buffer overflow detected|` +
	`free\(\): |malloc\(\): |realloc\(\): |munmap_chunk\(\)|corrupted (size|double|unsorted)|double free|` +
	`panic: |fatal error: |terminate called|pure virtual`)

// numbers are what differs between two complaints that are the same.
var numbers = regexp.MustCompile(`0x[0-9a-fA-F]+|\d+`)

const longest = 120 // of a complaint

// complaints lists what stderr says about a fault of the program, each once.
func complaints(stderr string) (list []string) {
	for line := range strings.Lines(stderr) {
		if line = strings.TrimSpace(line); !faults.MatchString(line) {
			continue
		}
		line = numbers.ReplaceAllString(line, "N")
		if len(line) > longest {
			line = line[:longest]
		}
		if !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	return list
}

// complaint is the last of them, or "".
func complaint(stderr string) string {
	list := complaints(stderr)
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
