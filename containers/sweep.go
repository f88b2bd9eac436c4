package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/engine"
)

// Labels of every container of ours.
const (
	labelOwner  = "org.nbdconform.owner" // the process that made it
	labelTarget = "org.nbdconform.target"
)

// dirPrefix begins the name of every temporary directory of ours; the owner follows.
const dirPrefix = "nbdconform-"

// abandoned is the age from which a container of another machine's process is
// taken for forgotten, as it can't be known here whether its owner runs.
const abandoned = 24 * time.Hour

func labels(id subject.Identity) map[string]string {
	return map[string]string{labelOwner: self().String(), labelTarget: id.Name}
}

// Sweep removes the containers and temporary directories of runs that have
// ended without doing so, as after SIGKILL. What belongs to a live run stays.
// It returns the number of things removed. No engine is no error.
func Sweep(ctx context.Context) (int, error) {
	n := sweepDirs()
	cli, err := engine.Client(ctx)
	if errors.Is(err, ErrNoEngine) {
		return n, nil
	} else if err != nil {
		return n, err
	}
	defer cli.Close()
	all, err := cli.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", labelOwner),
	})
	if err != nil {
		return n, fmt.Errorf("listing containers: %w", err)
	}
	var errs []error
	for _, c := range all.Items {
		o, ok := parseOwner(c.Labels[labelOwner])
		if ok && !o.dead() && (o.Machine == machine() || time.Since(time.Unix(c.Created, 0)) < abandoned) {
			continue
		}
		_, err := cli.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{RemoveVolumes: true, Force: true})
		switch {
		case err == nil:
			n++
		case !errdefs.IsNotFound(err) && !errdefs.IsConflict(err): // another sweep was quicker
			errs = append(errs, fmt.Errorf("removing container %.12s: %w", c.ID, err))
		}
	}
	return n, errors.Join(errs...)
}

func sweepDirs() (n int) {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	for _, d := range dirs {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(d), dirPrefix), "_")
		if o, ok := parseOwner(name); ok && o.dead() && os.RemoveAll(d) == nil {
			n++
		}
	}
	return n
}

// tempDir makes a directory that Sweep knows.
func tempDir() (string, error) {
	return os.MkdirTemp("", dirPrefix+self().String()+"_")
}
