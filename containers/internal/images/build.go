package images

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
)

// registryTimeout is how long a registry may take to answer a first question.
const registryTimeout = 5 * time.Second

// build makes the image in whichever way is open, reads off its packages and
// gives it its name.
func build(ctx context.Context, c *client.Client, s recipe, progress func(string)) error {
	raw := s.ref() + "-unfinished"
	start := time.Now()
	if err := makeRaw(ctx, c, s, raw, progress); err != nil {
		return err
	}
	if err := finish(ctx, c, s, raw); err != nil {
		return err
	}
	progress(fmt.Sprintf("built the image of %s in %.0f s", s, time.Since(start).Seconds()))
	return nil
}

// makeRaw prefers the Dockerfile. Where a registry answers and the package
// archive can't be reached from inside a container, it takes the other way.
func makeRaw(ctx context.Context, c *client.Client, s recipe, raw string, progress func(string)) error {
	var first error
	if haveBase(ctx, c, s) {
		progress(fmt.Sprintf("building the image of %s with the Dockerfile", s))
		if first = fromDockerfile(ctx, c, s, raw); first == nil || ctx.Err() != nil {
			return first
		}
		progress(fmt.Sprintf("the Dockerfile did not work: %v", first))
	}
	progress(fmt.Sprintf("building the image of %s from Debian packages with mmdebstrap", s))
	if err := fromPackages(ctx, c, s, raw); err != nil {
		return errors.Join(first, err)
	}
	return nil
}

// registryDown remembers for the life of the process that no registry answered.
var registryDown struct {
	sync.Mutex
	known bool
}

// haveBase reports whether the Dockerfile's base image is here or can be pulled.
func haveBase(ctx context.Context, c *client.Client, s recipe) bool {
	base := "debian:" + s.Base + "-slim"
	if _, err := c.ImageInspect(ctx, base); err == nil {
		return true
	}
	registryDown.Lock()
	defer registryDown.Unlock()
	if registryDown.known {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, registryTimeout)
	defer cancel()
	_, err := c.DistributionInspect(ctx, base, client.DistributionInspectOptions{})
	registryDown.known = err != nil
	return err == nil
}

func fromDockerfile(ctx context.Context, c *client.Client, s recipe, tag string) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	head := tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(dockerfile))}
	if err := w.WriteHeader(&head); err != nil {
		return err
	}
	if _, err := io.WriteString(w, dockerfile); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	list, backports := strings.Join(s.packages, " "), s.backports()
	res, err := c.ImageBuild(ctx, &archive, client.ImageBuildOptions{
		Tags:        []string{tag},
		BuildArgs:   map[string]*string{"SUITE": &s.Base, "PACKAGES": &list, "BACKPORTS": &backports},
		Remove:      true,
		ForceRemove: true,
	})
	if err != nil {
		return err
	}
	return outcome(res.Body)
}

func fromPackages(ctx context.Context, c *client.Client, s recipe, tag string) error {
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		return errors.New("building an image without a registry needs mmdebstrap: apt-get install mmdebstrap")
	}
	args := []string{"-s", s.Base, strings.Join(s.packages, ",")}
	if b := s.backports(); b != "" {
		args = append(args, b)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(bootstrap), &stderr
	rootfs, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running mmdebstrap: %w", err)
	}
	res, importErr := c.ImageImport(ctx, client.ImageImportSource{Source: rootfs, SourceName: "-"}, tag, client.ImageImportOptions{
		Changes: []string{"ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	})
	if importErr == nil {
		importErr = outcome(res)
	}
	io.Copy(io.Discard, rootfs)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("running mmdebstrap: %w: %s", err, lastLines(stderr.String(), 5))
	}
	return importErr
}

// outcome reads the engine's account of a build to its end, which is when the
// build is done, and returns the error in it. It closes r.
func outcome(r io.ReadCloser) error {
	defer r.Close()
	var output strings.Builder
	for d := json.NewDecoder(r); ; {
		var m struct{ Stream, Error string }
		switch err := d.Decode(&m); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("reading the engine's answer: %w", err)
		case m.Error != "":
			return fmt.Errorf("%s: %s", m.Error, lastLines(output.String(), 5))
		}
		output.WriteString(m.Stream)
	}
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}
