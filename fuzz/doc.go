// Package fuzz holds the native fuzz targets that go through more than one
// package. Each says in its comment what it holds to be wrong.
//
//	FuzzServerSession  scripts on the reference server; see packages script, model and session
//	FuzzClientSession  the reference client, and a server whose bytes are changed on their way
//	FuzzRoundTrip      values to bytes and back, for every message
//	FuzzDamaged        damaged messages: what still parses is what its bytes say
//
// Those of single parsers stand beside them: every message in reference/wire,
// URIs in reference/nbduri, the clause catalogue in conformance/clause, results
// in reports/result, the judge in conformance/judge, scripts in fuzz/script.
//
//	make fuzz-smoke                                         all of them, for a moment
//	go test -run '^$' -fuzz '^FuzzServerSession$' ./fuzz    one of them, until it finds something
//
// testdata/scripts has seeds, testdata/findings what was found with a quirk
// planted, with the reproducer beside it. Both replay in go test.
package fuzz
