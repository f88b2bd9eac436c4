// Package fuzz holds the native fuzz targets that go through more than one
// parser. Those of single parsers stand beside them in reference/wire.
//
//	go test -run '^$' -fuzz '^FuzzRoundTrip$' -fuzztime 1m ./fuzz
package fuzz
