#!/bin/sh
# Writes the root file system of one Debian suite to standard output as a tar
# archive, without a registry and without running maintainer scripts.
# usage: bootstrap.sh SUITE PACKAGE,PACKAGE... [BACKPORTS-SUITE]
set -eu
suite=$1 packages=$2 backports=${3-}

set -- --quiet --variant=extract --include="base-files,dash,netbase,$packages" \
	--aptopt='Acquire::Check-Valid-Until "false"' \
	--aptopt='Acquire::Languages "none"'
if [ -n "$backports" ]; then
	set -- "$@" --aptopt="APT::Default-Release \"$backports\"" \
		--setup-hook="sed -i 's/^\\(deb .*\\) $suite main.*/&\\n\\1 $backports main/' \"\$1\"/etc/apt/sources.list"
fi
exec mmdebstrap "$@" --extract-hook='
	cd "$1"
	rm -rf usr/share/doc usr/share/man usr/share/locale
	printf "root:x:0:0:root:/root:/bin/sh\nnbd:x:100:100::/:/bin/sh\n" > etc/passwd
	printf "root:x:0:\nnbd:x:100:\n" > etc/group
	ls var/cache/apt/archives | sed -n "s/_\(amd64\|arm64\|all\)\.deb$//p" |
		sed "s/%3a/:/; s/_/ /" > etc/packages.txt
' "$suite" -
