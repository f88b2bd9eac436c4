// Package fuzzing is the record of a fuzzing campaign: on what, how long, what
// was reached, what was found. The record is the campaign's state on disk, from
// which it goes on, and what reports are made of.
package fuzzing
