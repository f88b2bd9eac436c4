package containers

import (
	"context"
	"slices"

	"nbdconform/conformance/feature"
	"nbdconform/containers/internal/images"
	"nbdconform/containers/internal/program"
	"nbdconform/containers/internal/servers"
)

// An Offer is a server that can be started in a container of a release.
type Offer struct {
	Target         string
	Release        string
	Version        string   // of the package
	Image          string   // digest
	Profiles       []string // that the version can be set up in, the default first
	Representative []string // those of Profiles that stand for all
	Slow           []string // those of Profiles that leave clients waiting, so that runs take long
}

// Offers lists what the image of a release has, in the order of [Targets]. It
// builds the image first if need be.
func Offers(ctx context.Context, release string, progress func(string)) ([]Offer, error) {
	img, err := images.Ensure(ctx, release, progress)
	if err != nil {
		return nil, err
	}
	var list []Offer
	for _, p := range servers.Programs {
		v := program.Version(img.Packages[p.Package])
		if v == "" {
			continue
		}
		o := Offer{Target: p.Name, Release: release, Version: string(v), Image: img.Digest}
		for _, s := range p.Supported() {
			if p.Check(s, v, release) == nil {
				o.Profiles = append(o.Profiles, s.Name)
				if !s.Variant {
					o.Representative = append(o.Representative, s.Name)
				}
				if p.LeavesWaiting || slices.Contains(s.Features(v), string(feature.ForcedTLS)) {
					o.Slow = append(o.Slow, s.Name)
				}
			}
		}
		list = append(list, o)
	}
	return list, nil
}
