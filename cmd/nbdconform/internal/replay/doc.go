// Package replay runs again what was recorded: the spec of an evidence bundle,
// a script or a fault script of the fuzzer's, or what clients said in a capture.
// It says whether the failure is still there.
package replay
