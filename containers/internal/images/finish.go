package images

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// packageList is where both ways of building leave the versions, "name version" on each line.
const packageList = "/etc/packages.txt"

// finish turns the unfinished image raw into the labelled one, so that the
// versions in it can be read later without starting it.
func finish(ctx context.Context, c *client.Client, s recipe, raw string) error {
	if err := relabel(ctx, c, s, raw); err != nil {
		return err
	}
	// Only the name goes: the finished image is made of the same layers.
	_, err := c.ImageRemove(ctx, raw, client.ImageRemoveOptions{})
	return err
}

func relabel(ctx context.Context, c *client.Client, s recipe, raw string) error {
	made, err := c.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{Image: raw, Cmd: []string{"/bin/sh"}},
	})
	if err != nil {
		return fmt.Errorf("opening the new image: %w", err)
	}
	defer func() {
		_, _ = c.ContainerRemove(context.WithoutCancel(ctx), made.ID, client.ContainerRemoveOptions{Force: true})
	}()
	list, err := readFile(ctx, c, made.ID, packageList)
	if err != nil {
		return err
	}
	versions := strings.Join(strings.Fields(strings.ReplaceAll(list, " ", "=")), " ")
	_, err = c.ContainerCommit(ctx, made.ID, client.ContainerCommitOptions{
		Reference: s.ref(),
		Changes: []string{
			label(labelRelease, s.Name), label(labelInstructions, s.instructions()), label(labelPackages, versions),
		},
	})
	if err != nil {
		return fmt.Errorf("naming the new image: %w", err)
	}
	return nil
}

func label(name, value string) string { return fmt.Sprintf("LABEL %q=%q", name, value) }

// readFile returns the contents of one file of a container that need not run.
func readFile(ctx context.Context, c *client.Client, id, path string) (string, error) {
	res, err := c.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: path})
	if err != nil {
		return "", fmt.Errorf("reading %s of the new image: %w", path, err)
	}
	defer res.Content.Close()
	r := tar.NewReader(res.Content)
	if _, err := r.Next(); err != nil {
		return "", fmt.Errorf("reading %s of the new image: %w", path, err)
	}
	b, err := io.ReadAll(r)
	return string(b), err
}
