// Package fuzz holds the native fuzz targets that involve more than one package,
// or a package below fuzz/internal. The comment of each says what is an error.
//
//	FuzzServerSession  scripts on the reference server; see package session
//	FuzzClientSession  the reference client, and a server whose bytes are changed on their way
//	FuzzRoundTrip      values to bytes and back, for every message
//	FuzzScript         scripts to text and back
//	FuzzCapture        captures to scripts
//	FuzzDamaged        damaged messages: what still parses is what its bytes say
//
// Those of single parsers are in their packages: every message in reference/wire,
// URIs in reference/nbduri, the clause catalogue in conformance/clause, results
// in reports/result, the judge in conformance/judge.
//
//	make fuzz-smoke                                         all of them, for a moment
//	go test -run '^$' -fuzz '^FuzzServerSession$' ./fuzz    one of them, until it finds something
//
// testdata/scripts has seeds, testdata/findings what was found with a quirk
// planted, with the reproducer beside it. Both replay in go test.
package fuzz
