# The kernel's own NBD client at the reference server, with a judge between them.
load nbd

nbdconform serve --unix /run/server --size 8M --log requests 2>requests.txt >/dev/null &
await test -S /run/server
nbdconform audit --once --listen unix:/run/judge --to "nbd+unix:///?socket=/run/server" &
judge=$!
await test -S /run/judge
nbd-client -unix /run/judge /dev/nbd0
test "$(blockdev --getsize64 /dev/nbd0)" = 8388608

# 8 MiB of data, of which the second MiB is discarded and the fifth zeroed.
dd if=image of=/dev/nbd0 bs=1M oflag=direct conv=fsync
blkdiscard -o 1M -l 1M /dev/nbd0
blkdiscard -z -o 4M -l 1M /dev/nbd0
dd if=/dev/nbd0 of=seen bs=1M iflag=direct

nbd-client -d /dev/nbd0
wait "$judge"
nbdconform copy "nbd+unix:///?socket=/run/server" held
nbdconform map "nbd+unix:///?socket=/run/server"
