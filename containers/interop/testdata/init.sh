#!/bin/sh
# The first process of a kernel that runs as a process. It runs the script that
# is beside it, says how that ended, and switches the machine off. The root
# file system is that of the container.
cd "${0%/*}"
busybox mount -t proc proc /proc
busybox mount -t tmpfs tmpfs /run
export PATH="$PWD:$PATH" TMPDIR=/run

# load MODULE... loads modules, each after those that it needs.
load() {
	for module; do
		busybox insmod "$(busybox find /usr/lib/uml/modules -name "$module.ko")"
	done
}

# await COMMAND... waits until it succeeds, for so long.
await() {
	timeout 60 sh -c 'until "$@"; do sleep 0.1; done' await "$@"
}

(set -eux; . ./script.sh)
echo "script.sh: exit status $?"
sync
busybox poweroff -f
