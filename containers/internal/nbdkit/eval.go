package nbdkit

import "nbdconform/containers/internal/program"

// Scripts that serve a file, one callback each. They are slow: every request
// starts a shell.
const (
	pread  = `pread=dd if=$tmpdir/disk skip=$4 count=$3 iflag=skip_bytes,count_bytes status=none`
	pwrite = `pwrite=dd of=$tmpdir/disk seek=$4 oflag=seek_bytes conv=notrunc status=none`
	zero   = `zero=dd if=/dev/zero of=$tmpdir/disk seek=$4 count=$3 iflag=count_bytes oflag=seek_bytes conv=notrunc status=none`
	load   = `get_ready=truncate -s 1M $tmpdir/disk`
	length = `get_size=echo 1M`
)

// evals are profiles whose plugin has few callbacks.
var evals = []program.Profile{
	eval("eval-read", "read-only", load, length, pread),
	eval("eval-write", "", load, length, pread, pwrite),
	eval("eval-flush", "flush fua", load, length, pread, pwrite, "flush=exit 0", "can_fua=echo emulate"),
	eval("eval-zero", "write-zeroes", load, length, pread, pwrite, zero, "can_fast_zero=exit 3",
		"extents=echo 0 1M", "can_cache=echo native", "cache=exit 0", "can_multi_conn=exit 0"),
}

// eval is a profile of the eval plugin with some callbacks.
func eval(name, has string, callbacks ...string) program.Profile {
	return program.Profile{
		Name: name, Exports: []string{""}, Size: program.MiB, Variant: true,
		Features: program.Promise(fixed, "block-size@1.42", has),
		Start:    with(append([]string{"eval"}, callbacks...)...),
	}
}
