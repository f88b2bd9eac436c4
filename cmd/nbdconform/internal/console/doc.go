// Package console shows on standard error how far something is: one changing
// line where it is a terminal, and lines that stay elsewhere. It also fits text
// to the width of a terminal.
package console
