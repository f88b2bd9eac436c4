package audit

import (
	"fmt"
	"os"
	"slices"

	"nbdconform/reports/capture"
)

// File audits a capture.
func (a *Auditor) File(name string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	var all []*audited
	sum, err := capture.Read(in, func(f capture.Flow) capture.Watcher {
		w := a.conversation(f.Client + " to " + f.Server)
		w.certain = f.ServerPort == capture.Port || slices.Contains(a.Ports, f.ServerPort)
		all = append(all, w)
		return w
	})
	for _, w := range all {
		a.report(w)
	}
	if sum.Headless+sum.Beyond > 0 {
		fmt.Fprintf(a.Out, "not judged: %d connections that began before the capture, %d that were too many\n", sum.Headless, sum.Beyond)
	}
	if err != nil && a.judged == 0 {
		return err
	}
	if err != nil {
		fmt.Fprintf(a.Out, "the capture is not whole: %v\n", err)
	}
	return nil
}
