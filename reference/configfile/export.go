package configfile

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func (e *Export) build(path func(string) string) (server.Export, error) {
	x := server.Export{
		Name: e.Name, Description: e.Description,
		ReadOnly: e.ReadOnly, Rotational: e.Rotational, Hidden: e.Hidden,
		TLSOnly: e.TLSOnly, InitState: e.InitState, Resizable: e.Resizable > 0,
		Constraints: e.BlockSize.constraints(), RequireBlockSize: e.BlockSize.Required,
		Contexts: e.Contexts,
	}
	if e.Contexts == nil {
		x.Contexts = []string{export.BaseAllocation}
	}
	for _, name := range e.Omit {
		f, ok := features[name]
		if !ok {
			return x, fmt.Errorf("omit: there is no feature %q", name)
		}
		x.Omit |= f
	}
	var err error
	if x.Disk, err = e.disk(path); err != nil {
		return x, err
	}
	if err := e.track(&x); err != nil {
		return x, err
	}
	if len(e.Faults) > 0 {
		x.Gate, err = e.gate(x.Disk.Size(), path)
	}
	return x, err
}

// features are what an export can leave out, by its transmission flag.
var features = map[string]wire.TransmissionFlags{
	"flush": wire.FlagSendFlush, "fua": wire.FlagSendFUA, "trim": wire.FlagSendTrim,
	"write-zeroes": wire.FlagSendWriteZeroes, "df": wire.FlagSendDF, "multi-conn": wire.FlagCanMultiConn,
	"cache": wire.FlagSendCache, "fast-zero": wire.FlagSendFastZero,
	"block-status-payload": wire.FlagBlockStatusPayload,
}

// constraints fills in what is left out, so that the constraints agree.
func (b BlockSize) constraints() wire.SizeConstraints {
	c := wire.DefaultSizeConstraints
	if b.Minimum > 0 {
		c.Minimum = uint32(b.Minimum)
	}
	if b.MaxPayload > 0 {
		c.MaxPayload = uint32(b.MaxPayload)
	}
	c.Preferred = max(c.Preferred, c.Minimum)
	if b.Preferred > 0 {
		c.Preferred = uint32(b.Preferred)
	}
	return c
}

// disk makes the disk with what it starts with.
func (e *Export) disk(path func(string) string) (export.Export, error) {
	size := uint64(e.Size)
	starts := e.Data != Data{}
	switch {
	case size == 0 && !e.Empty && e.Data.File == "":
		return nil, errors.New("the key size is missing")
	case starts && (e.Resizable > 0 || e.Capacity > 0 || e.SlowZero):
		return nil, errors.New("data goes with none of resizable, capacity and slow-zero")
	case e.Resizable > 0 && (e.Capacity > 0 || e.SlowZero):
		return nil, errors.New("resizable goes with neither capacity nor slow-zero")
	case e.Resizable > 0 && e.Resizable < e.Size:
		return nil, fmt.Errorf("resizable is what it can grow to: want at least its size, %d", e.Size)
	case e.Resizable > 0:
		return export.NewResizable(size, uint64(e.Resizable)), nil
	case !starts:
		return export.NewWithOptions(size, export.Options{Capacity: uint64(e.Capacity), SlowZero: e.SlowZero}), nil
	case e.Data.Pattern != "":
		return export.NewLayered(export.NewOffsets(size)), nil
	case e.Data.Repeat != "":
		return export.NewLayered(export.NewRepeat(e.Data.Repeat, size)), nil
	}
	f, err := os.Open(path(e.Data.File))
	if err != nil {
		return nil, err
	}
	if size == 0 && !e.Empty {
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		size = uint64(info.Size())
	}
	s, err := export.NewFile(f, size)
	if err != nil {
		return nil, err
	}
	return export.NewLayered(s), nil
}

// track puts the dirty bitmaps around the disk that the contexts name.
func (e *Export) track(x *server.Export) error {
	var bitmaps []string
	seen := map[string]bool{}
	for _, name := range x.Contexts {
		if seen[name] {
			return fmt.Errorf("contexts: %s is there twice", name)
		}
		seen[name] = true
		if b, ok := strings.CutPrefix(name, export.DirtyBitmap); ok {
			if b == "" {
				return fmt.Errorf("contexts: %s has no name behind it", name)
			}
			bitmaps = append(bitmaps, b)
		} else if _, err := x.Disk.Extents(nil, name, 0, 1, 1); err != nil {
			return fmt.Errorf("contexts: there is no %q: use %s, %s, %sNAME, %s or %s", name,
				export.BaseAllocation, export.AllocationDepth, export.DirtyBitmap, export.Depth, export.Stripes)
		}
	}
	if len(bitmaps) == 0 {
		if len(e.Dirty) > 0 {
			return errors.New("dirty: there is no bitmap: name one in contexts, such as qemu:dirty-bitmap:b0")
		}
		return nil
	}
	t := export.NewTracked(x.Disk, bitmaps...)
	for i, r := range e.Dirty {
		err := r.within(x.Disk.Size(), 0) // what it can grow by is not there from the start
		if r.Length == 0 {
			err = errors.New("want a length of 1 or more")
		}
		if err != nil {
			return fmt.Errorf("dirty range %d: %w", i+1, err)
		}
		t.Mark(uint64(r.Offset), uint64(r.Length))
	}
	if r, ok := x.Disk.(export.Resizer); ok {
		x.Disk = resizable{t, r}
	} else {
		x.Disk = t
	}
	return nil
}

// within refuses a range of which no request can ever touch all. A length of 0
// is everything from the offset on. The export has size bytes and can grow to
// most; 0: not at all.
func (r Range) within(size, most uint64) error {
	has := fmt.Sprintf("%d bytes", size)
	if most > size {
		has += fmt.Sprintf(" and can grow to %d", most)
	}
	from, n := uint64(r.Offset), uint64(r.Length)
	most = max(size, most)
	const remedy = "move the range, or give the export a larger size"
	switch {
	case n == 0 && (from == 0 || from < most), n > 0 && n <= most && from <= most-n:
		return nil
	case n == 0:
		return fmt.Errorf("no byte from %d on is within the export, which has %s: %s", from, has, remedy)
	}
	return fmt.Errorf("bytes %d to %d are not within the export, which has %s: %s", from, from+n-1, has, remedy)
}

// A resizable is a disk with bitmaps whose size can be changed.
type resizable struct {
	*export.Tracked
	disk export.Resizer
}

func (r resizable) Resize(size uint64) error { return r.disk.Resize(size) }

// gate makes the faults. They may lie where the export, of size bytes, can grow.
func (e *Export) gate(size uint64, path func(string) string) (export.Gate, error) {
	var faults []export.Fault
	for i, f := range e.Faults {
		x, err := f.build(path)
		if err == nil {
			err = Range{f.Offset, f.Length}.within(size, uint64(e.Resizable))
		}
		if err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
		faults = append(faults, x)
	}
	return export.NewFaults(faults...), nil
}

var commands = map[string]wire.Command{
	"read": wire.CmdRead, "write": wire.CmdWrite, "flush": wire.CmdFlush, "trim": wire.CmdTrim, "cache": wire.CmdCache,
	"write-zeroes": wire.CmdWriteZeroes, "block-status": wire.CmdBlockStatus, "resize": wire.CmdResize,
}

var failures = map[string]error{
	"": nil, "EPERM": wire.EPERM, "EIO": wire.EIO, "ENOMEM": wire.ENOMEM, "EINVAL": wire.EINVAL, "ENOSPC": wire.ENOSPC,
	"EOVERFLOW": wire.EOVERFLOW, "ENOTSUP": wire.ENOTSUP, "ESHUTDOWN": wire.ESHUTDOWN,
}

var actions = map[string]error{"": nil, "hang": export.ErrNoReply, "disconnect": export.ErrHangup}

func (f Fault) build(path func(string) string) (export.Fault, error) {
	x := export.Fault{
		Offset: uint64(f.Offset), Length: uint64(f.Length), Delay: time.Duration(f.Delay),
		After: f.After, Every: f.Every, Times: f.Times, Probability: f.Probability, Seed: f.Seed,
	}
	if f.Trigger != "" {
		x.Trigger = path(f.Trigger)
	}
	for _, name := range f.Commands {
		c, ok := commands[name]
		if !ok {
			return x, fmt.Errorf("there is no command %q", name)
		}
		x.Commands = append(x.Commands, c)
	}
	err, ok1 := failures[f.Error]
	action, ok2 := actions[f.Action]
	if !ok1 || !ok2 {
		return x, fmt.Errorf("there is no error %q, or no action %q", f.Error, f.Action)
	}
	if x.Err = err; action != nil {
		x.Err = action
	}
	if x.Err == nil && x.Delay == 0 {
		return x, errors.New("it needs one of error, action and delay")
	}
	return x, nil
}
