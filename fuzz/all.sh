#!/bin/sh
# Runs every native fuzz target of the module for a while, one after the other.
# Usage: fuzz/all.sh [TIME]      a time as go test takes it: 10s, 5m, 20000x
set -u
time=${1:-10s}
list=$(go test -list '^Fuzz' ./... | awk '
	/^Fuzz/ {names[++n] = $1; next}
	/^ok/   {for (i = 1; i <= n; i++) print $2, names[i]; n = 0}')
total=$(printf '%s\n' "$list" | grep -c .)
if [ "$total" -eq 0 ]; then
	echo "fuzz: no targets found" >&2
	exit 2
fi
done=0
failed=
built=
scratch=$(mktemp -d)
log=$scratch/log
cache=$(go env GOCACHE)/fuzz
trap 'rm -rf "$scratch"' EXIT
while read -r package name; do
	done=$((done + 1))
	echo "[$done/$total] $name ($package) for $time"
	if [ "$package" != "$built" ]; then # once for all targets of a package
		go test -c -fuzz . -o "$scratch/test" "$package" || exit 2
		built=$package
		dir=$(go list -f '{{.Dir}}' "$package")
	fi
	status=0
	(cd "$dir" && "$scratch/test" -test.run '^$' -test.fuzz "^$name\$" -test.fuzztime "$time" \
		-test.fuzzminimizetime 10x -test.fuzzcachedir "$cache/$package") >"$log" 2>&1 || status=$?
	cat "$log"
	# A run whose time is up in the middle of an input can end in an error of
	# the toolchain's: a finding comes with its input.
	if [ "$status" -ne 0 ] && { grep -q 'Failing input' "$log" || ! grep -q '^ *context deadline exceeded' "$log"; }; then
		failed="$failed $name"
	fi
done <<EOF
$list
EOF
if [ -n "$failed" ]; then
	echo "fuzz: failed:$failed" >&2
	exit 1
fi
echo "fuzz: $total targets, nothing found"
