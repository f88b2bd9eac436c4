// Package evidence writes and reads what there is to show for one failure: a
// directory that explains itself to people, to Wireshark, and to somebody who
// has nothing but Python.
//
//	bundle.json      what was tested, with what, what came of it; see the schema
//	transcript.txt   both directions decoded, the offending message marked
//	capture.pcapng   every byte, for Wireshark and tshark
//	reproduce.py     says the same again to any server, or to any client program,
//	                 and compares the answers
//	stderr.txt       what the target's program last wrote, and how it ended
//
// Recordings are bounded, see package recording, and so are all bundles of a
// run together, see [Store]. What is missing the bundle says.
package evidence
