package ci

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The build script of ClusterFuzzLite names every native fuzz target, and no other.
func TestFuzzBuildScriptNamesTheTargets(t *testing.T) {
	const script = "../.clusterfuzzlite/build.sh"
	if out, err := exec.Command("bash", "-n", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "<<'TARGETS'\n")
	list, _, _ = strings.Cut(list, "TARGETS\n")
	listed := strings.Split(strings.TrimSpace(list), "\n")
	var found []string
	form := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	err = filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range form.FindAllStringSubmatch(string(text), -1) {
			dir, _ := filepath.Rel("..", filepath.Dir(path))
			found = append(found, filepath.ToSlash(dir)+" "+m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	slices.Sort(listed)
	for _, f := range found {
		if !slices.Contains(listed, f) {
			t.Errorf("%s lacks %s", script, f)
		}
	}
	for _, l := range listed {
		if !slices.Contains(found, l) {
			t.Errorf("%s has %s, which does not exist", script, l)
		}
	}
}

// A job of Kubernetes, as far as the manifests use it.
type job struct {
	APIVersion string         `yaml:"apiVersion"`
	Kind       string         `yaml:"kind"`
	Metadata   map[string]any `yaml:"metadata"`
	Spec       struct {
		CompletionMode       string         `yaml:"completionMode"`
		Completions          int            `yaml:"completions"`
		Parallelism          int            `yaml:"parallelism"`
		BackoffLimit         *int           `yaml:"backoffLimit"`
		BackoffLimitPerIndex int            `yaml:"backoffLimitPerIndex"`
		PodFailurePolicy     map[string]any `yaml:"podFailurePolicy"`
		AccessModes          []string       `yaml:"accessModes"`
		Resources            map[string]any `yaml:"resources"`
		Template             struct {
			Spec struct {
				RestartPolicy  string           `yaml:"restartPolicy"`
				InitContainers []map[string]any `yaml:"initContainers"`
				Volumes        []map[string]any `yaml:"volumes"`
				Containers     []struct {
					Name         string           `yaml:"name"`
					Image        string           `yaml:"image"`
					Args         []string         `yaml:"args"`
					Env          []map[string]any `yaml:"env"`
					VolumeMounts []map[string]any `yaml:"volumeMounts"`
				} `yaml:"containers"`
			} `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

// The manifests have the fields that they are meant to have, as many shards as
// the command says, and merge each of them.
func TestFuzzManifests(t *testing.T) {
	read := func(name string) (list []job) {
		text, err := os.ReadFile("../deploy/k8s/" + name)
		if err != nil {
			t.Fatal(err)
		}
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		for {
			var j job
			err := d.Decode(&j)
			if errors.Is(err, io.EOF) {
				return list
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			list = append(list, j)
		}
	}
	fuzz := read("fuzz.yaml")[1]
	merge := read("merge.yaml")[0]
	if fuzz.APIVersion != "batch/v1" || fuzz.Kind != "Job" || fuzz.Spec.CompletionMode != "Indexed" || fuzz.Spec.Template.Spec.RestartPolicy != "Never" {
		t.Errorf("%+v", fuzz)
	}
	args := fuzz.Spec.Template.Spec.Containers[0].Args
	if fuzz.Spec.Completions != 4 || !slices.Contains(args, "--shard=/4") || !slices.Contains(args, "--dir=/campaign/$(JOB_COMPLETION_INDEX)") {
		t.Errorf("%d completions, arguments %q", fuzz.Spec.Completions, args)
	}
	for _, dir := range []string{"/campaign/0", "/campaign/1", "/campaign/2", "/campaign/3"} {
		if !slices.Contains(merge.Spec.Template.Spec.Containers[0].Args, dir) {
			t.Errorf("the merge lacks %s", dir)
		}
	}
}
