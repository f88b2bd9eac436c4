package serverquirk

import (
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

type resizing struct {
	export.Resizer
	resize func(d export.Resizer, size uint64) error
}

func (r resizing) Resize(size uint64) error { return r.resize(r.Resizer, size) }

// resizer makes a configuration whose exports resize in another way.
func resizer(f func(d export.Resizer, size uint64) error) func(*server.Config) {
	return func(c *server.Config) {
		for i := range c.Exports {
			if d, ok := c.Exports[i].Disk.(export.Resizer); ok {
				c.Exports[i].Disk = resizing{d, f}
			}
		}
	}
}

// ResizeIgnored says that it did.
var ResizeIgnored = register(Quirk{
	Name: "resize-ignored", Breaks: "resize.then-reply",
	Doc:    "answers NBD_CMD_RESIZE with success and leaves the size alone",
	Config: resizer(func(export.Resizer, uint64) error { return nil }),
})

// onResize makes hooks that change the reply to NBD_CMD_RESIZE.
func onResize(f func(*server.Exchange)) server.Hooks { return onReply(wire.CmdResize, f) }

// ResizeUnknown offers what it does not have.
var ResizeUnknown = register(Quirk{
	Name: "resize-unknown", Breaks: "resize.errors",
	Doc:   "sets NBD_FLAG_SEND_RESIZE and answers NBD_CMD_RESIZE with NBD_EINVAL",
	Hooks: onResize(func(x *server.Exchange) { x.Fail(wire.EINVAL, "unknown command") }),
})

// ResizeShrunkEINVAL treats what was cut off like all that never was.
var ResizeShrunkEINVAL = register(Quirk{
	Name: "resize-shrunk-einval", Breaks: "resize.shrunk.enospc",
	Doc: "answers NBD_EINVAL to requests about what NBD_CMD_RESIZE cut off",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Err() == wire.ENOSPC && !x.Is(wire.CmdResize) {
			x.Fail(wire.EINVAL, "the request ends beyond the export")
		}
	}),
})

// ResizeClears makes a new disk.
var ResizeClears = register(Quirk{
	Name: "resize-clears", Breaks: "baseline.server.read",
	Doc: "loses the contents of the export on NBD_CMD_RESIZE",
	Config: resizer(func(d export.Resizer, size uint64) error {
		if err := d.Resize(size); err != nil {
			return err
		}
		return d.Zero(0, d.Size(), false, false)
	}),
})

// ResizeWrongError says that the size makes no sense.
var ResizeWrongError = register(Quirk{
	Name: "resize-wrong-error", Breaks: "resize.errors",
	Doc: "answers NBD_EINVAL to an NBD_CMD_RESIZE that can't be done",
	Hooks: onResize(func(x *server.Exchange) {
		if x.Err() != wire.OK {
			x.Fail(wire.EINVAL, "what a size")
		}
	}),
})

// ResizeByLength looks at the wrong field.
var ResizeByLength = register(Quirk{
	Name: "resize-by-length", Breaks: "resize.offset",
	Doc: "takes the length of NBD_CMD_RESIZE for the new size",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdResize {
			q.Offset = q.Length
		}
	}},
})
