#!/bin/sh
# judge.sh runs nbdconform, which is on PATH, as CI systems want it: told by
# INPUT_ variables, with a summary in Markdown and an exit status.
#
# Exit status: that of the gate if there is a baseline, else that of the run.
set -eu

report=${INPUT_REPORT:-nbdconform-report}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}

if [ -n "${INPUT_COMMAND:-}" ] && [ -n "${INPUT_URI:-}" ]; then
	echo "nbdconform: give a command or a uri, not both" >&2
	exit 2
fi

set -- run --out "$report"
[ -z "${INPUT_FILTER:-}" ] || set -- "$@" --filter "$INPUT_FILTER"
if [ -n "${INPUT_URI:-}" ]; then
	set -- "$@" --uri "$INPUT_URI"
	[ "${INPUT_DESTRUCTIVE:-false}" != true ] || set -- "$@" --destructive
elif [ -n "${INPUT_COMMAND:-}" ]; then
	set -f # the command is split at spaces and not touched otherwise
	# shellcheck disable=SC2086
	set -- "$@" -- $INPUT_COMMAND
	set +f
else
	echo "nbdconform: nothing to judge: give a command or a uri" >&2
	exit 2
fi

rm -rf "$report" # an old result must not pass for a new one
status=0
nbdconform "$@" || status=$?
[ ! -f "$report/summary.md" ] || cat "$report/summary.md" >>"$summary"
[ "$status" -le 1 ] || exit "$status"

if [ -n "${INPUT_BASELINE:-}" ]; then
	set -- gate "$report" --baseline "$INPUT_BASELINE"
	[ -z "${INPUT_VERSION:-}" ] || set -- "$@" --target-version "$INPUT_VERSION"
	status=0
	nbdconform "$@" >"$report/gate.txt" || status=$?
	cat "$report/gate.txt"
	{ echo; echo '## Gate'; echo; sed 's/^/    /' "$report/gate.txt"; } >>"$summary"
fi
exit "$status"
