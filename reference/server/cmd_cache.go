package server

import "nbdconform/reference/wire"

// cmdCache is section "NBD_CMD_CACHE".
var cmdCache = command{
	flag: wire.FlagSendCache, unadvertised: "flag.transmission.client-use",
	align:  "size.align.server.other",
	bounds: "size.bounds.cache", beyond: wire.EINVAL,
	do: (*transmission).cache,
}

func (t *transmission) cache(r *request) error {
	if r.Length == 0 {
		return nil
	}
	return t.disk.Cache(r.Offset, r.Length)
}
