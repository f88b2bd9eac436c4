package nbdkit

import "nbdconform/containers/internal/program"

// filters are profiles that differ by what a filter does to requests.
var filters = []row{
	{
		name: "min-block-allow", since: "1.30", size: size, has: rw + " block-size",
		args: "--filter=blocksize-policy memory 64M blocksize-minimum=4096 blocksize-preferred=64K blocksize-maximum=1M",
	},
	{
		name: "min-block-64k", since: "1.30", size: size, has: rw + " block-size",
		args: "--filter=blocksize-policy memory 64M blocksize-minimum=64K blocksize-preferred=64K blocksize-maximum=1M blocksize-error-policy=error",
	},
	{
		name: "min-block-odd-size", since: "1.30", size: size + 512, has: rw + " block-size",
		args: "--filter=blocksize-policy memory 67109376 blocksize-minimum=4096 blocksize-preferred=4096 blocksize-maximum=1M blocksize-error-policy=error",
	},
	{name: "blocksize", size: 6 * gib, has: rw, args: "--filter=blocksize memory 6G minblock=4096 maxdata=64K maxlen=1M"},
	{name: "zero-emulate", size: size, has: rw, args: "--filter=nozero memory 64M zeromode=emulate"},
	{name: "zero-slow", size: size, has: rw + " -fast-zero", args: "--filter=nozero memory 64M zeromode=plugin fastzeromode=none"},
	{name: "no-cache", size: size, has: rw + " -cache", args: "--filter=nocache memory 64M cachemode=none"},
	{name: "fua-none", size: size, has: rw + " -fua", args: "--filter=fua memory 64M"},
	{name: "fua-force", size: size, has: rw, args: "--filter=fua memory 64M fuamode=force"},
	{name: "multi-conn-emulate", since: "1.26", size: size, has: rw, args: "--filter=multi-conn --filter=cache memory 64M multi-conn-mode=emulate"},
	{name: "cow", size: size + 3, has: rw + " -write-zeroes -fast-zero", args: "--filter=cow memory 67108867"},
	{name: "cache", size: size + 3, has: rw, args: "--filter=cache memory 67108867"},
	{name: "truncate", size: program.MiB + 3, has: rw, args: "--filter=truncate memory 1M truncate=1048579"},
	{name: "offset", size: program.MiB, has: rw, args: "--filter=offset memory 2M offset=513 range=1M"},
	{
		name: "stack", size: size, has: rw,
		args: "--filter=log --filter=readahead --filter=delay --filter=noparallel memory 64M logfile=/dev/null rdelay=1ms wdelay=1ms",
	},
	{name: "protect", since: "1.30", size: size, has: rw, args: "--filter=protect memory 64M protect=1048576-2097151"},
	{name: "rotational", since: "1.46", size: size, has: rw + " rotational", args: "--filter=rotational memory 64M"},
	{name: "swab", size: size, has: rw, args: "--filter=swab memory 64M swab-bits=16"},
}
