package main

import (
	"os"
	"strings"
	"testing"
)

// Requests that make no sense, or that can't be met, end with status 2, one
// line that helps, and no reports.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		env  []string
		want string
	}{
		"filter that matches nothing":  {args: argWords("run --filter nothing-like-it"), want: `the filter "nothing-like-it" matches none of`},
		"filter that can't be read":    {args: argWords("run --filter (("), want: `the filter "((" can't be read: Mismatched '('`},
		"nobody at the address":        {args: argWords("run --uri nbd://127.0.0.1:1"), want: "connection refused"},
		"nobody at the socket":         {args: argWords("run --uri nbd+unix:///?socket=/nowhere/s"), want: "no such file"},
		"unknown target":               {args: argWords("run --target qemu"), want: `unknown target "qemu": use one of reference, qemu-nbd,`},
		"unknown suite":                {args: argWords("run --target nbdkit --release buster"), want: `unknown release "buster": use one of bullseye,`},
		"unknown suite, not used":      {args: argWords("run --release buster"), want: `unknown release "buster"`},
		"unknown profile":              {args: argWords("run --profile odd-one"), want: `no profile "odd-one": use one of default, read-only,`},
		"unknown profile of a program": {args: argWords("run --target nbdkit --profile odd-one"), want: `unknown profile "odd-one" of nbdkit: use one of default,`},
		"unknown quirk":                {args: argWords("run --quirk lazy"), want: `no quirk "lazy" (see nbdconform list --quirks)`},
		"unknown provider":             {args: argWords("run --target nbdkit --provider vm"), want: `unknown provider "vm": use container or local`},
		"target and URI":               {args: argWords("run --target nbdkit --uri nbd://localhost"), want: "name one thing to test"},
		"URI and command":              {args: argWords("run --uri nbd://localhost -- true {socket}"), want: "name one thing to test"},
		"quirk of a real server":       {args: argWords("run --target nbdkit --quirk disc-ignored"), want: "--quirk goes with --target reference"},
		"profile of an address":        {args: argWords("run --uri nbd://localhost --profile bare"), want: "--profile goes with --target"},
		"URI of another scheme":        {args: argWords("run --uri http://localhost"), want: `scheme "http" is none of nbd,`},
		"URI with a port too large":    {args: argWords("run --uri nbd://localhost:99999"), want: "port 99999 is out of range"},
		"URI after --target":           {args: argWords("run --target uri:nbd://127.0.0.1:1"), want: "connection refused"},
		"command that does not exist":  {args: argWords("run -- no-such-server {socket}"), want: `"no-such-server": executable file not found in $PATH`},
		"command without an address":   {args: argWords("run -- true"), want: "neither {socket} nor {port}"},
		"command that ends at once":    {args: append(argWords("run -- sh -c"), "echo no disk >&2; exit 3 # {socket}"), want: "exit status 3; stderr: no disk"},
		"command without dashes":       {args: argWords("run nbdkit"), want: "a command to start goes after --"},
		"negative timeout":             {args: argWords("run --timeout -1s"), want: "--timeout can't be negative"},
		"unknown flag":                 {args: argWords("run --fast"), want: "unknown flag: --fast"},
		"unknown command":              {args: argWords("judge"), want: `unknown command "judge"`},
		"no engine": {
			args: argWords("run --target nbdkit"), env: []string{"DOCKER_HOST=unix:///nowhere/docker.sock"},
			want: "install and start docker, or use --provider local",
		},
		"no engine for the matrix": {
			args: argWords("matrix --targets nbdkit --releases trixie"), env: []string{"DOCKER_HOST=unix:///nowhere/docker.sock"},
			want: "install and start docker",
		},
		"no program": {
			args: argWords("run --target qemu-nbd --provider local"), env: []string{"PATH=/nowhere"},
			want: "qemu-nbd is not on PATH: apt-get install qemu-utils",
		},
		"matrix of unknown suites":        {args: argWords("matrix --releases buster"), want: `unknown release "buster": use some of bullseye,`},
		"matrix of unknown targets":       {args: argWords("matrix --targets qemu"), want: `unknown target "qemu": use some of qemu-nbd,`},
		"list of nothing":                 {args: argWords("list --filter nothing-like-it"), want: "matches none of"},
		"serve from two sides":            {args: argWords("serve --unix s --stdio"), want: "give one of --stdio, --unix: each says where clients come from"},
		"serve on what is no socket":      {args: argWords("serve --stdio"), want: "--stdio: standard input is neither a socket nor a pipe"},
		"serve without a socket":          {args: argWords("serve --socket-activation"), want: "nobody handed a socket over"},
		"serve a file and flags":          {args: argWords("serve --config f --size 1M --quirk q"), want: "--size, --quirk can't be given with --config"},
		"serve a file that is not there":  {args: argWords("serve --config nowhere.yaml"), want: "nowhere.yaml: no such file"},
		"serve and check nothing":         {args: argWords("serve --check-config"), want: "--check-config takes --config FILE"},
		"serve a profile of one's own":    {args: argWords("serve --profile bare --read-only"), want: "--read-only can't be given with --profile"},
		"serve a fault that is none":      {args: argWords("serve --fault error:EIO"), want: "--fault"},
		"serve an odd handshake":          {args: argWords("serve --handshake ancient"), want: "--handshake ancient is none of fixed-newstyle"},
		"serve with half of TLS":          {args: argWords("serve --tls on"), want: "--tls: it takes one of certificates, pre-shared keys (psk) and anonymous"},
		"serve with TLS that is off":      {args: argWords("serve --tls-verify-peer"), want: "--tls: without the mode on or require"},
		"serve an odd log":                {args: argWords("serve --log everything"), want: "--log everything is neither"},
		"serve at no vsock":               {args: argWords("serve --vsock here"), want: "want PORT or CID:PORT"},
		"serve a size that is none":       {args: argWords("serve --size huge"), want: "want a number of bytes such as"},
		"serve with an unknown quirk":     {args: argWords("serve --quirk lazy"), want: `no quirk "lazy"`},
		"serve in an unknown profile":     {args: argWords("serve --profile odd-one"), want: `no profile "odd-one"`},
		"serve at a foreign address":      {args: argWords("serve --listen 192.0.2.1:1"), want: "listen tcp 192.0.2.1:1"},
		"serve nothing in a profile":      {args: argWords("serve --profile bare --size 0"), want: "--size 0 can't be given with --profile"},
		"serve a bitmap without a name":   {args: argWords("serve --context qemu:dirty-bitmap:"), want: "qemu:dirty-bitmap: has no name behind it"},
		"serve a profile of another size": {args: argWords("serve --profile huge --size 1M"), want: "--size 1048576 can't be given with --profile huge, whose export has 6442450944 bytes"},
		"serve one draft of another":      {args: argWords("serve --profile dialect-get-lba-status --dialect current"), want: "--dialect current can't be given with --profile dialect-get-lba-status"},
		"serve TLS of a profile without":  {args: argWords("serve --profile tls-required --tls off"), want: "--tls off can't be given with --profile tls-required, which has --tls require"},
		"serve TLS of a profile halfway":  {args: argWords("serve --profile tls --tls require"), want: "--tls require can't be given with --profile tls, which has --tls on"},
		"serve a draft and its opposite":  {args: argWords("serve --profile dialect-get-lba-status --unannounced-writes"), want: "unannounced-writes: true does not go with dialect: get-lba-status"},
		"serve chunks of a draft":         {args: argWords("serve --dialect get-lba-status --simple-success=false"), want: "simple-success: false does not go with dialect: get-lba-status"},
		"serve headers of a profile":      {args: argWords("serve --profile no-extended-headers --unannounced-writes"), want: "unannounced-writes: true does not go with extended-headers: false"},
		"serve a fault beyond the end":    {args: append(argWords("serve --size 1M --fault"), "offset: 1M, length: 4K, error: EIO"), want: "fault 1: bytes 1048576 to 1052671 are not within the export, which has 1048576 bytes: move the range"},
		"serve a fault beyond a profile":  {args: append(argWords("serve --profile resize --size 1M --fault"), "offset: 2M, error: EIO"), want: "which has 1048576 bytes and can grow to 2097152"},
		"serve a file that is a pattern":  {args: argWords("serve --file f --pattern"), want: "give one of --file and --pattern"},
		"serve an empty value":            {args: []string{"serve", "--config", "", "--unix", ""}, want: "--config, --unix: the value is empty"},
		"serve blocks of nothing":         {args: argWords("serve --block-size 0"), want: "--block-size 0: want a power of 2, 64K at most"},
		"serve blocks beyond all bounds":  {args: argWords("serve --block-size 4G"), want: "--block-size 4294967296: want a power of 2, 64K at most"},
		"serve at no abstract name":       {args: argWords("serve --unix @"), want: "there is no name behind the @"},
		"serve at a file":                 {args: argWords("serve --unix /etc/passwd"), want: "address already in use: /etc/passwd is no socket: name another path"},
		"serve at no port":                {args: argWords("serve --listen localhost"), want: "localhost: want HOST:PORT"},
		"serve an unknown context":        {args: argWords("serve --context nope"), want: `contexts: there is no "nope": use base:allocation, qemu:allocation-depth, qemu:dirty-bitmap:NAME,`},
		"list two things":                 {args: argWords("list --quirks --profiles"), want: "give one of --quirks, --profiles: each is a list of its own"},
		"list a server and quirks":        {args: argWords("list nbd://127.0.0.1:1 --quirks"), want: "--quirks can't be given with a URI"},
		"list and filter a server":        {args: argWords("list nbd://127.0.0.1:1 --filter x"), want: "--filter can't be given with a URI"},
		"list and filter profiles":        {args: argWords("list --profiles --filter x"), want: "--filter can't be given with --profiles"},
		"list specs as JSON":              {args: argWords("list --json"), want: "--json goes with the URI of a server"},
		"list no server in time":          {args: argWords("list --timeout 5s"), want: "--timeout goes with the URI of a server"},
		"list what is no URI":             {args: argWords("list nbdkit"), want: `"nbdkit" is no NBD URI: want one such as nbd://localhost:10809/disk`},
		"info within no time":             {args: argWords("info nbd://127.0.0.1:1 --timeout 0"), want: "--timeout 0s: want more than 0"},
		"info of a path":                  {args: argWords("info /tmp/nbd.sock"), want: "or 'nbd+unix:///disk?socket=/tmp/nbd.sock'"},
		"info of half an escape":          {args: argWords("info nbd://127.0.0.1/%4"), want: `invalid URL escape "%4"`},
		"map without a context":           {args: []string{"map", "nbd://127.0.0.1:1", "--context", ""}, want: `--context "": want a namespace, a colon and a name`},
		"copy from nothing":               {args: []string{"copy", "", "nbd://127.0.0.1:1"}, want: "the source is empty: want a file or an NBD URI"},
		"copy to nothing":                 {args: []string{"copy", "nbd://127.0.0.1:1", ""}, want: "the destination is empty: want a file or an NBD URI"},
		"copy without requests":           {args: argWords("copy nbd://localhost f --requests 0"), want: "--requests 0 is less than 1"},
		"prove nothing":                   {args: argWords("prove nothing-like-it"), want: "nothing was proven"},
		"the child's command":             {args: argWords("trial"), want: "use nbdconform run"},
		"the document is not there":       {args: argWords("spec-check nowhere.md"), want: "no such file"},
		"explain something unknown":       {args: argWords("explain nothing-like-it"), want: "see nbdconform list"},
		"explain something nearly known":  {args: argWords("explain greeting.fixed"), want: "did you mean greeting.fixed-newstyle?"},
		"explain without a word":          {args: argWords("explain"), want: "explain CLAUSE|SPEC: want another number of arguments: 1, not 0"},
		"images of a suite that is none":  {args: argWords("images buster"), want: `unknown release "buster"`},
		"run with a size that is no flag": {args: argWords("run --size 1M"), want: "unknown flag: --size"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := start(t, tc.env, tc.args...).end()
			o.want(t, exitUntrusted)
			line := lastLine(o.stderr)
			if !strings.HasPrefix(line, "nbdconform: ") || !strings.Contains(line, tc.want) {
				t.Errorf("stderr:\n%s\nwant a last line with %q", o.stderr, tc.want)
			}
			if strings.Count(o.stderr, "\n") != 1 && tc.args[0] != "matrix" {
				t.Errorf("more than one line on stderr:\n%s", o.stderr)
			}
			if strings.Contains(o.stderr, "\x1b") {
				t.Errorf("colours in a pipe: %q", o.stderr)
			}
			if o.stdout != "" {
				t.Errorf("stdout: %s", o.stdout)
			}
			if _, err := os.Stat(o.out); err == nil {
				t.Errorf("there are reports in %s", o.out)
			}
		})
	}
}

func argWords(s string) []string { return strings.Fields(s) }

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}
