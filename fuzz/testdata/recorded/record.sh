#!/bin/sh
# Records what client programs say to the reference server, as captures beside
# this file. They are seeds of the fuzzer.
# Usage: record.sh NBDCONFORM      needs qemu-utils and libnbd-bin
set -eu
nbdconform=$1
to=$(dirname "$0")
dir=$(mktemp -d)
# QEMU writes only to a server without extended headers.
"$nbdconform" serve --unix "$dir/server" --no-extended-headers --size 64K >/dev/null &
server=$!
trap 'kill $server; rm -rf "$dir"' EXIT
appears() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		test -S "$1" && return
		sleep 0.3
	done
	return 1
}
appears "$dir/server"
record() { # NAME COMMAND
	"$nbdconform" audit --listen "unix:$dir/proxy" --to "nbd+unix:///?socket=$dir/server" --capture "$to/$1.pcapng" &
	audit=$!
	appears "$dir/proxy"
	sh -c "$2" >/dev/null
	sleep 0.5
	kill -INT $audit
	wait $audit
}
uri="nbd+unix:///?socket=$dir/proxy"
head -c 8192 /dev/urandom >"$dir/data"
truncate -s 64K "$dir/data"
record nbdinfo "nbdinfo '$uri'"
record nbdinfo-list "nbdinfo --list '$uri'"
record nbdcopy-out "nbdcopy --connections=2 '$uri' $dir/copy"
record nbdcopy-in "nbdcopy --connections=2 $dir/data '$uri'"
record qemu-img-map "qemu-img map --output=json '$uri'"
record qemu-img-convert "qemu-img convert -n -f raw -O raw $dir/data '$uri'"
record qemu-io "qemu-io -f raw -c 'write -P 7 0 4096' -c 'discard 4096 4096' -c 'write -z 8192 4096' -c flush -c 'read -P 7 0 4096' '$uri'"
