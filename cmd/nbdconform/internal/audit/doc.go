// Package audit judges conversations between any client and any server: in a
// capture, or as a proxy between the two.
package audit
