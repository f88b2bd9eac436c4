package serve

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/client"
	"nbdconform/reference/configfile"
	"nbdconform/reference/nbduri"
	"nbdconform/reference/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options are those that flags with these names and values set, of some.
func options(t *testing.T, args ...string) (*Options, *pflag.FlagSet) {
	t.Helper()
	o := &Options{Handshake: configfile.Handshakes[0], TLS: configfile.TLS{Mode: "off"}, Disk: configfile.Export{Size: 1 << 20}, Grace: time.Second}
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	f.StringArrayVar(&o.Listen, "listen", []string{"127.0.0.1:0"}, "")
	f.StringArrayVar(&o.Unix, "unix", nil, "")
	f.BoolVar(&o.Stdio, "stdio", false, "")
	f.StringVar(&o.File, "config", "", "")
	f.BoolVar(&o.CheckOnly, "check-config", false, "")
	f.StringVar(&o.Profile, "profile", "", "")
	f.StringVar(&o.Disk.Data.File, "file", "", "")
	f.Var(&o.Disk.Size, "size", "")
	f.BoolVar(&o.Pattern, "pattern", false, "")
	f.StringVar(&o.Log, "log", "", "")
	f.StringVar(&o.Handshake, "handshake", o.Handshake, "")
	f.DurationVar(&o.Grace, "grace", o.Grace, "")
	f.StringVar(&o.Quirk, "quirk", "", "")
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o, f
}

func TestFlagsThatDoNotAgree(t *testing.T) {
	for want, args := range map[string][]string{
		"give one of --stdio, --unix":                  {"--stdio", "--unix", "s"},
		"--unix: the value is empty":                   {"--unix", ""},
		"--size, --quirk can't be given with --config": {"--config", "f", "--size", "1M", "--quirk", "q"},
		"--check-config takes --config FILE":           {"--check-config"},
		"--pattern can't be given with --profile":      {"--profile", "bare", "--pattern"},
		"--size 0 can't be given with --profile":       {"--profile", "bare", "--size", "0"},
		"give one of --file and --pattern":             {"--file", "f", "--pattern"},
		"--log x is neither connections nor requests":  {"--log", "x"},
		"--handshake x is none of fixed-newstyle":      {"--handshake", "x"},
		"--grace can't be negative":                    {"--grace", "-1s"},
	} {
		o, f := options(t, args...)
		if err := o.Agree(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}

func TestAConfigurationOfFlags(t *testing.T) {
	o, f := options(t, "--profile", "no-extended-headers", "--size", "3M")
	if err := o.Agree(f); err != nil {
		t.Fatal(err)
	}
	cfg, err := o.Config()
	if err != nil || cfg.Exports[0].Disk.Size() != 3<<20 || !cfg.NoExtendedHeaders {
		t.Errorf("%+v, %v", cfg, err)
	}
	o, f = options(t, "--profile", "huge", "--size", "3M")
	if err := o.Agree(f); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Config(); err == nil || !strings.Contains(err.Error(), "can't be given with --profile huge") {
		t.Error(err)
	}
}

// A service is one that runs in the test.
type service struct {
	*Options
	uri   string
	srv   *server.Server
	ended chan error
}

func start(t *testing.T, ctx context.Context, args ...string) *service {
	t.Helper()
	o, f := options(t, args...)
	if err := o.Agree(f); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := referenceserver.Config("", 1<<20, "")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{Options: o, ended: make(chan error, 1)}
	if s.srv, err = server.New(cfg); err != nil {
		t.Fatal(err)
	}
	read, write := io.Pipe()
	t.Cleanup(func() { read.Close() })
	s.Out, s.PIDFile = write, filepath.Join(t.TempDir(), "pid")
	go func() { s.ended <- s.Run(ctx, s.srv, false) }()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s.uri = strings.TrimSpace(line)
	return s
}

func (s *service) connect(t *testing.T) *client.Client {
	t.Helper()
	u, _, err := nbduri.Parse(s.uri)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := u.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Connect(t.Context(), conn, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAServiceEndsWithTheGracePeriod(t *testing.T) {
	for name, tc := range map[string]struct {
		leaves bool // the client does, before
		grace  string
		least  time.Duration
		most   time.Duration
	}{
		"without clients": {true, "1m", 0, 30 * time.Second},
		"with one":        {false, "300ms", 300 * time.Millisecond, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := start(t, ctx, "--grace", tc.grace)
			c := s.connect(t)
			if tc.leaves {
				if err := c.Disconnect(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if text, err := os.ReadFile(s.PIDFile); err != nil || len(text) < 2 {
				t.Errorf("%q, %v", text, err)
			}
			begin := time.Now()
			cancel()
			if err := <-s.ended; err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took < tc.least || took > tc.most {
				t.Errorf("it took %v", took)
			}
			if _, err := os.Stat(s.PIDFile); err == nil {
				t.Error("the file with the process id is left")
			}
			_ = c.Close()
		})
	}
}

func TestAServerThatClosesItselfSaysSo(t *testing.T) {
	s := start(t, t.Context())
	go s.srv.Close()
	if err := <-s.ended; !errors.Is(err, ErrClosedItself) {
		t.Error(err)
	}
}

func TestWhereItCanNotListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o, f := options(t, "--listen", "127.0.0.1:0", "--listen", taken.Addr().String())
	if err := o.Agree(f); err != nil {
		t.Fatal(err)
	}
	o.Out = io.Discard
	if err := o.Run(t.Context(), nil, false); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
}
