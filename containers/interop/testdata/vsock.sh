# The reference server and the reference client over vsock.
load vsock vmw_vsock_virtio_transport_common vsock_loopback
uri=nbd+vsock://1:4711

# Nobody is there yet, and that is said at once.
if nbdconform info "$uri"; then exit 1; fi
./transport.test -test.v -test.run 'TestURIOfAListenerReachesIt/vsock'

nbdconform serve --vsock 4711 --size 8M >serve.txt &
server=$!
await test -s serve.txt
nbdconform info "$uri"
nbdconform copy image "$uri"
nbdconform copy "$uri" back
nbdconform map "$uri" --totals

# Specs about how connections end, and about much at once: what depends on the
# transport. All of them take minutes here.
nbdconform run --uri "$uri" --destructive --out report \
	--filter '/^id:(disc|in-flight|left)\./'

kill "$server"
wait "$server"
