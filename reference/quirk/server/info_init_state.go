package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// InitStateLong has a field twice as wide, as was discussed.
var InitStateLong = register(Quirk{
	Name: "init-state-long", Breaks: "init-state.length",
	Doc: "sends 32 bits in NBD_INFO_INIT_STATE",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoInitState, func(i *wire.Info) { i.Payload = append(i.Payload, 0, 0) })
	}),
})

// InitStateAlways says what was true when the export was made.
var InitStateAlways = register(Quirk{
	Name: "init-state-always", Breaks: "init-state.zero",
	Doc: "announces NBD_INIT_ZERO whatever was written since",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoInitState, func(i *wire.Info) { *i = (wire.InitSparse | wire.InitZero).Info() })
	}),
})
