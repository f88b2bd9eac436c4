// Package capture writes recordings as capture files and reads captures of
// conversations, in the forms pcapng and pcap.
//
// What [Write] writes was never on a network: the Ethernet, IP and TCP around
// the bytes are made up, so that programs that read captures can show the
// conversation. What [Read] reads may come from anybody: its memory is bounded,
// and what it can't follow it says.
package capture
