package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// machine says what the numbers were measured on.
func machine() string {
	model := runtime.GOARCH
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%s, %d CPUs, %s %s", model, runtime.NumCPU(), runtime.GOOS, strings.TrimSpace(string(kernel)))
}

var number = regexp.MustCompile(`\d+(\.\d+)+\S*`)

// version asks a program for its version.
func version(c serverProgram) string {
	out, _ := exec.Command(c.program, c.versionFlag).CombinedOutput() // the status says nothing
	if v := number.Find(out); v != nil {
		return string(v)
	}
	return strings.TrimSpace(string(out))
}

// loadAverage is that of the last minute, or "" where the system has none.
func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
