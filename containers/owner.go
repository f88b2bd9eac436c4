package containers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
)

// An owner names one process so that another can tell whether it still runs.
type owner struct {
	Machine string // boot and pid namespace: where PID means something
	PID     int
	Start   string // when it began, in the kernel's ticks: tells it from a later one with the same PID
}

// self is this process.
var self = sync.OnceValue(func() owner {
	return owner{machine(), os.Getpid(), startOf(os.Getpid())}
})

// String returns a form without spaces or slashes, for labels and file names.
func (o owner) String() string { return fmt.Sprintf("%s.%d.%s", o.Machine, o.PID, o.Start) }

func parseOwner(s string) (owner, bool) {
	var o owner
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return o, false
	}
	if _, err := fmt.Sscanf(parts[1], "%d", &o.PID); err != nil {
		return o, false
	}
	o.Machine, o.Start = parts[0], parts[2]
	return o, true
}

// dead reports whether o has surely ended. Of a process in another boot or pid
// namespace nothing is sure.
func (o owner) dead() bool {
	return o.Machine == machine() && startOf(o.PID) != o.Start
}

// machine stands for a boot and a pid namespace, in few characters: it becomes
// part of a socket's path, which has room for 107.
var machine = sync.OnceValue(func() string {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, _ := os.Readlink("/proc/self/ns/pid")
	sum := sha256.Sum256(fmt.Append(boot, space))
	return hex.EncodeToString(sum[:4])
})

// startOf returns the start time of a process, or "" if there is none.
func startOf(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field, the name, may hold anything; fields 3 and up follow its last parenthesis.
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
	if f := strings.Fields(rest); len(f) > 19 {
		return f[19] // field 22
	}
	return ""
}
