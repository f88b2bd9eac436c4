package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// ErrNone is wrapped by every error that comes from the lack of a container engine.
var ErrNone = errors.New("no container engine answers: install and start docker, or use --provider local (PROVIDER=local) with the program on PATH, or --target reference")

// pingTimeout is how long the engine may take to answer a ping.
const pingTimeout = 5 * time.Second

// prepare settles testcontainers' settings, which it reads from the
// environment on first use. What the user has set is left alone.
//
// Its reaper is a container whose image would have to be pulled; this
// module labels and sweeps its own instead. Inside a container it takes
// the gateway for the engine's host, which is wrong where the engine runs
// beside us; a user who shares the host's engine sets the variable.
var prepare = sync.OnceFunc(func() {
	log.SetDefault(log.NewNoopLogger())
	setDefault("TESTCONTAINERS_RYUK_DISABLED", "true")
	if _, err := os.Stat("/.dockerenv"); err == nil {
		setDefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
	}
})

func setDefault(name, value string) {
	if _, set := os.LookupEnv(name); !set {
		os.Setenv(name, value)
	}
}

// Client returns a client of the engine that answered a ping, or an error
// that wraps [ErrNone]. The caller closes it.
func Client(ctx context.Context) (*client.Client, error) {
	prepare()
	// Testcontainers would silently use another socket than the one named.
	if path, unix := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); unix {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("%w (DOCKER_HOST: %w)", ErrNone, err)
		}
	}
	c, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNone, err)
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if _, err := c.Ping(ctx, client.PingOptions{}); err != nil {
		c.Close()
		return nil, fmt.Errorf("%w (%w)", ErrNone, err)
	}
	return c.Client, nil
}

// IsHere reports whether a port that the engine maps on its host's 127.0.0.1
// can be reached on ours.
func IsHere() bool {
	prepare()
	if host := os.Getenv("TESTCONTAINERS_HOST_OVERRIDE"); host != "" {
		return host == "127.0.0.1" || host == "localhost"
	}
	host := os.Getenv("DOCKER_HOST")
	return host == "" || strings.HasPrefix(host, "unix://")
}
