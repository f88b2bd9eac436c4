//go:build linux && (amd64 || arm64)

package nbduri

// A difference is a URI that libnbd 1.14 takes for something else than we do.
type difference struct {
	uri, ours, libnbd string
	decides           string // the sentence of the document, or what it leaves open
}

// refused stands for a URI that is an error.
const refused = "refused"

var differences = []difference{
	{
		uri:     "nbd+unix:///?socket=%00/abstract",
		ours:    "\x00/abstract" + ` export "" user "" tls false verify true`,
		libnbd:  ` export "" user "" tls false verify true`,
		decides: "‘the `socket` parameter MAY begin with an ASCII NUL character’, ‘if the client supports this’: libnbd does not, its path ends at the NUL",
	},
	{
		uri:     "nbd+unix:///?socket=a%00b",
		ours:    refused,
		libnbd:  `a export "" user "" tls false verify true`,
		decides: "‘the `socket` parameter MAY begin with an ASCII NUL character’: begin, and a path has none either; libnbd's ends there",
	},
	{
		uri:     "nbd+vsock://3:4000000000/e",
		ours:    `3:4000000000 export "e" user "" tls false verify true`,
		libnbd:  refused,
		decides: "‘Other URI scheme names MAY be used’: ports of vsock have 32 bits, and those of libxml2 31",
	},
	{
		uri:     "nbd+vsock://-1/",
		ours:    refused,
		libnbd:  `4294967295:10809 export "" user "" tls false verify true`,
		decides: "‘Other URI scheme names MAY be used’: a context id is a number without a sign; -1 wraps to VMADDR_CID_ANY, which can't be connected to",
	},
	{
		uri:     "NBD://h/",
		ours:    `h:10809 export "" user "" tls false verify true`,
		libnbd:  refused,
		decides: "‘All NBD URIs MUST also be valid URIs as described in RFC 3986’, whose section 3.1 has schemes in any case",
	},
	{
		uri:     "nbd:/e",
		ours:    `localhost:10809 export "e" user "" tls false verify true`,
		libnbd:  refused,
		decides: "‘It is up to the NBD client what should happen if the authority field is not present for TCP/IP connections’",
	},
	{
		uri:     "nbd:",
		ours:    `localhost:10809 export "" user "" tls false verify true`,
		libnbd:  refused,
		decides: "‘It is up to the NBD client what should happen if the authority field is not present for TCP/IP connections’",
	},
	{
		uri:     "nbd://h:/",
		ours:    `h:10809 export "" user "" tls false verify true`,
		libnbd:  refused,
		decides: "‘`port` fields as defined in RFC 3986 section 3.2’: a port may have no digits",
	},
	{
		uri:     "nbd://:10810/",
		ours:    `localhost:10810 export "" user "" tls false verify true`,
		libnbd:  `localhost:10809 export "" user "" tls false verify true`,
		decides: "‘If the `port` field is not present then it MUST default’: it is present, and libnbd loses it",
	},
	{
		uri:     "nbd://h:0/",
		ours:    refused,
		libnbd:  `h:10809 export "" user "" tls false verify true`,
		decides: "‘If the `port` field is not present then it MUST default’: it is present, and there is no port 0",
	},
	{
		uri:     "nbd://h:65536/",
		ours:    refused,
		libnbd:  `h:65536 export "" user "" tls false verify true`,
		decides: "‘`port` fields as defined in RFC 3986’, which leaves the range to TCP: libnbd has the resolver refuse it",
	},
	{
		uri:     "nbd://alice:secret@h/",
		ours:    `h:10809 export "" user "alice" tls false verify true`,
		libnbd:  `h:10809 export "" user "alice:secret" tls false verify true`,
		decides: "‘The `userinfo` field is used to supply a username’: RFC 3986 has what follows a colon for a password, and deprecates it",
	},
	{
		uri:     "nbd+unix:///?socket=a;b",
		ours:    `a;b export "" user "" tls false verify true`,
		libnbd:  `a export "" user "" tls false verify true`,
		decides: "‘MUST also be valid URIs as described in RFC 3986’, where a semicolon separates nothing in a query",
	},
	{
		uri:     "nbd://h/?socket=s",
		ours:    `h:10809 export "" user "" tls false verify true`,
		libnbd:  refused,
		decides: "‘Any other query parameters which the client does not understand SHOULD be diagnosed’: as a warning here, as an error there",
	},
	{
		uri:     "nbds://h/?tls-type=x509&tls-hostname=g&tls-verify-peer=0",
		ours:    `h:10809 export "" user "" tls true verify false`,
		libnbd:  `h:10809 export "" user "" tls true verify true`,
		decides: "‘`tls-verify-peer`: This optional parameter may be `0` or `1`’: libnbd 1.14 ignores it",
	},
	{
		uri:     "nbd://127.0.0.1:1/?tls-verify-peer=0",
		ours:    `127.0.0.1:1 export "" user "" tls false verify false`,
		libnbd:  `127.0.0.1:1 export "" user "" tls false verify true`,
		decides: "‘`tls-verify-peer`: This optional parameter may be `0` or `1`’: libnbd 1.14 ignores it",
	},
	{
		uri:     "nbd://h/?tls-verify-peer=yes",
		ours:    refused,
		libnbd:  `h:10809 export "" user "" tls false verify true`,
		decides: "‘`tls-verify-peer`: This optional parameter may be `0` or `1`’",
	},
	{
		uri:     "nbd://h/?tls-type=",
		ours:    refused,
		libnbd:  `h:10809 export "" user "" tls false verify true`,
		decides: "‘`tls-type`: Possible values include `anon`, `x509` or `psk`’: none is no method, and libnbd 1.14 ignores it",
	},
	{
		uri:     "nbd://h/?tls-hostname=",
		ours:    refused,
		libnbd:  `h:10809 export "" user "" tls false verify true`,
		decides: "‘`tls-hostname`: The optional TLS hostname’: none is no hostname, and libnbd 1.14 ignores it",
	},
	{
		uri:     "nbd+unix:///?socket=",
		ours:    refused,
		libnbd:  ` export "" user "" tls false verify true`,
		decides: "‘query parameters MUST include a parameter called `socket` which refers to the name of the Unix domain socket’: nothing is no name",
	},
	{
		uri:     "nbd+unix:///?socket",
		ours:    refused,
		libnbd:  ` export "" user "" tls false verify true`,
		decides: "‘query parameters MUST include a parameter called `socket` which refers to the name of the Unix domain socket’: nothing is no name",
	},
	{
		uri:     "nbd+unix:///?socket=a&socket=b",
		ours:    refused,
		libnbd:  `b export "" user "" tls false verify true`,
		decides: "The document has ‘a parameter called `socket`’, and is silent on two; libnbd takes the last",
	},
	{
		uri:     "nbd://h/%00",
		ours:    refused,
		libnbd:  `h:10809 export "" user "" tls false verify true`,
		decides: "‘may contain any Unicode character except NUL’; libnbd's name ends there",
	},
	{
		uri:     "nbd://h/%FF",
		ours:    refused,
		libnbd:  `h:10809 export "\xff" user "" tls false verify true`,
		decides: "‘may contain any Unicode character’: this is no UTF-8, which proto.md has strings in",
	},
	{
		uri:     "nbd://[127.0.0.1]/",
		ours:    refused,
		libnbd:  `127.0.0.1:10809 export "" user "" tls false verify true`,
		decides: "‘Literal IPv6 addresses MUST be formatted in the way specified by RFC 2732’: brackets are for these",
	},
	{
		uri:     "nbd://h%20i/",
		ours:    refused,
		libnbd:  `h i:10809 export "" user "" tls false verify true`,
		decides: "‘The `host` field may be a host name or IP address’: no host name has a space",
	},
}
