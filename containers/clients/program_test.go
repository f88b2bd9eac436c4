package clients

import (
	"slices"
	"strings"
	"testing"

	"nbdconform/conformance/subject"
)

var task = subject.Task{
	Operation: subject.CopyOut, File: "/d/out", Offset: 4096, Length: 512,
	Server: subject.Address{Socket: "/d/s", Export: "disk"},
}

func TestCommandLinesAreFilledIn(t *testing.T) {
	secure := task
	secure.Server.TLS, secure.Server.PKI = subject.TLSRequire, "/d/pki"
	list := task
	list.Operation = subject.List
	zero := task
	zero.Operation = subject.Zero
	stamp := task
	stamp.Operation = subject.Stamp
	dirty := task
	dirty.Operation, dirty.Context = subject.Map, "qemu:dirty-bitmap:b0"
	for name, c := range map[string]struct {
		program string
		task    subject.Task
		want    string
	}{
		"a context":          {"nbdinfo", dirty, "nbdinfo --map=qemu:dirty-bitmap:b0 nbd+unix:///disk?socket=/d/s"},
		"a context for QEMU": {"qemu-img", dirty, "qemu-img map --output=json --image-opts driver=nbd,server.type=unix,server.path=/d/s,export=disk,x-dirty-bitmap=qemu:dirty-bitmap:b0"},
		"a URI":              {"nbdcopy", task, "nbdcopy nbd+unix:///disk?socket=/d/s /d/out"},
		"a URI with TLS":     {"nbdcopy", secure, "nbdcopy nbds+unix://localhost/disk?socket=/d/s&tls-certificates=/d/pki&tls-hostname=localhost /d/out"},
		"no export":          {"nbdinfo", list, "nbdinfo --json --no-content --list nbd+unix:///?socket=/d/s"},
		"words for a disk":   {"qemu-img", task, "qemu-img convert -O raw --image-opts driver=nbd,server.type=unix,server.path=/d/s,export=disk /d/out"},
		"words with TLS":     {"qemu-img", secure, "qemu-img convert -O raw --object tls-creds-x509,id=t,endpoint=client,dir=/d/pki --image-opts driver=nbd,server.type=unix,server.path=/d/s,export=disk,tls-creds=t,tls-hostname=localhost /d/out"},
		"a range":            {"qemu-io", zero, "qemu-io -c write -z 4096 512 -c flush --image-opts driver=nbd,server.type=unix,server.path=/d/s,export=disk"},
		"an option":          {"fio", stamp, "fio --name=nbd --ioengine=nbd --uri=nbd+unix:///disk?socket=/d/s --bs=64k --rw=write --end_fsync=1 --verify=pattern --verify_pattern=%o --verify_fatal=1"},
		"a socket by itself": {"nbd-client", list, "nbd-client -unix /d/s -l"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Find(c.program)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(p.Argv(c.task), " "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestNoMarkIsLeft(t *testing.T) {
	for _, p := range Programs {
		for a := range p.Commands {
			for _, tls := range []subject.TLS{subject.NoTLS, subject.TLSAllow, subject.TLSRequire, subject.TLSKey, subject.TLSAnonymous} {
				if !p.Can(a, tls) {
					continue
				}
				full := task
				full.Operation, full.Server.TLS, full.Server.PKI, full.Server.Keys = a, tls, "/d/pki", "/d/keys"
				argv := p.Argv(full)
				if slices.ContainsFunc(argv, func(w string) bool { return strings.Contains(w, "{") }) {
					t.Errorf("%s %s: %q", p.Name, a, argv)
				}
			}
		}
	}
}

func TestTLSIsNotPromisedWhereTheCommandSaysNothingOfIt(t *testing.T) {
	q, _ := Find("qemu-img")
	n, _ := Find("nbd-client")
	i, _ := Find("nbdinfo")
	for what, got := range map[string]bool{
		"qemu-img copy-in": q.Can(subject.CopyIn, subject.TLSRequire), "nbd-client list": n.Can(subject.List, subject.TLSRequire),
		"nbdinfo with TLS if there is any": i.Can(subject.Info, subject.TLSAllow), "nbdinfo copy-out": i.Can(subject.CopyOut, subject.NoTLS),
		"nbdinfo with anonymous TLS": i.Can(subject.Info, subject.TLSAnonymous),
	} {
		if got {
			t.Errorf("%s is promised", what)
		}
	}
	if !q.Can(subject.CopyOut, subject.TLSRequire) || !i.Can(subject.List, subject.TLSRequire) || !i.Can(subject.Info, subject.TLSKey) || !q.Can(subject.Info, subject.TLSAnonymous) {
		t.Error("TLS is not promised where it is there")
	}
}

func TestCommandsThatMakeNoSense(t *testing.T) {
	for name, c := range map[string]struct {
		argv []string
		does subject.Operation
		want string
	}{
		"empty":      {nil, subject.Visit, "the command is empty"},
		"no address": {[]string{"true"}, subject.Visit, "where would it connect"},
		"no file":    {[]string{"true", "{uri}"}, subject.CopyOut, "does not say {file}"},
		"no program": {[]string{"no-such-program", "{uri}"}, subject.Visit, "no-such-program"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Command(c.argv, c.does); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestOldLibnbdIsNotAskedForCertificates(t *testing.T) {
	i, _ := Find("nbdinfo")
	for version, want := range map[string]bool{"1.6.1-1": true, "1.14.2-1": false, "1.22.2-1": false} {
		if got := i.WhyNoTLS(subject.TLSRequire, version) != ""; got != want {
			t.Errorf("%s: %t", version, got)
		}
		if why := i.WhyNoTLS(subject.NoTLS, version); why != "" {
			t.Errorf("%s without TLS: %s", version, why)
		}
	}
	q, _ := Find("qemu-img")
	if why := q.WhyNoTLS(subject.TLSRequire, "1:5.2"); why != "" {
		t.Errorf("qemu-img has other ways: %s", why)
	}
	f, _ := Find("fio")
	for _, kind := range []subject.TLS{subject.TLSRequire, subject.TLSKey} {
		if f.WhyNoTLS(kind, "3.33-3") == "" {
			t.Errorf("fio has no TLS at all: %v", kind)
		}
	}
}
