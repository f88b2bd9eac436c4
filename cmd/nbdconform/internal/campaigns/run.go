package campaigns

import (
	"context"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/reports/fuzzing"
)

// Run runs the campaign of a request that was checked and sweeps over nothing.
func (r *Request) Run(ctx context.Context, show console.Campaign) (fuzzing.Record, error) {
	if r.IsClient() {
		return r.client(ctx, show)
	}
	return r.server(ctx, show)
}
