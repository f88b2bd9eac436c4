// Package ci is what other people's CI runs: judge.sh, which action.yml and the
// GitLab template call, and the image of the Dockerfile. Its tests do what a
// runner would do.
package ci
