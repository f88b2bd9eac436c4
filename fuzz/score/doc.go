// Package score measures the session fuzzer: each quirk of the reference
// server that breaks a clause is planted, and has to be found within a budget.
//
// The fuzzer is not told what it looks for. Its scripts follow from numbers
// that count up, the same for every quirk, and what it finds only counts if
// the good server shows nothing with the same script.
package score
