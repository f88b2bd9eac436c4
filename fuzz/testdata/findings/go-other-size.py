#!/usr/bin/env python3
# wrong opt.info.repeatable NBD_OPT_GO: NBD_OPT_GO says that export "" has 8388608 bytes, NBD_OPT_INFO said 8392704
#
# 0 flags FIXED_NEWSTYLE
# 0 NBD_OPT_INFO export=""
#
# Says this to an NBD server, byte by byte, and compares what comes.
# usage: python3 FILE HOST:PORT | SOCKET
# exit status: 1 the same comes again, 0 something else does
import socket, sys

b, where = bytes.fromhex, sys.argv[1]


def dial():
    unix = "/" in where
    s = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    s.settimeout(2)
    host, _, port = where.rpartition(":")
    s.connect(where if unix else (host, int(port)))
    return s


def stop(why):
    print("not reproduced:", why)
    sys.exit(0)


def send(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass  # what the server said before it left is still to come


def read(s, n):
    data = bytes()
    try:
        while len(data) < n:
            part = s.recv(n - len(data))
            if not part:
                return data, "ended"
            data += part
    except socket.timeout:
        return data, "silent"
    except OSError:
        return data, "ended"
    return data, "came"


def got(s, want):
    data, _ = read(s, len(want))
    if data != want:
        stop("other bytes come\n  then %s\n  now  %s" % (want[:64].hex(), data[:64].hex()))


def ended(s):
    if read(s, 1) != (bytes(), "ended"):
        stop("the server does not hang up")


def silent(s):
    if read(s, 1) != (bytes(), "silent"):
        stop("the server says something, or hangs up")


def half(s):
    s.shutdown(socket.SHUT_WR)


def refused():
    try:
        s = dial()
    except OSError:
        return
    if read(s, 1)[0]:
        stop("the server still serves")


c0 = dial()
got(c0, b("4e42444d4147494349484156454f50540003"))
send(c0, b("00000001"))
send(c0, b("49484156454f50540000000600000006000000000000"))
got(c0, b("0003e889045565a900000006000000030000000c000000000000008010000d6d0003e889045565a90000000600000003"
    "0000000600016469736b0003e889045565a9000000060000000100000000"))
send(c0, b("49484156454f50540000000200000000"))
got(c0, b("0003e889045565a9000000020000000100000000"))
c0.close()
probe = dial()
got(probe, b("4e42444d4147494349484156454f50540003"))
send(probe, b("00000003"))
send(probe, b("49484156454f50540000000800000000"))
got(probe, b("0003e889045565a9000000080000000100000000"))
send(probe, b("49484156454f50540000000a0000001b00000000000000010000000f626173653a616c6c6f636174696f6e"))
got(probe, b("0003e889045565a90000000a000000040000001300000001626173653a616c6c6f636174696f6e0003e889045565a900"
    "00000a0000000100000000"))
send(probe, b("49484156454f505400000007000000080000000000010003"))
got(probe, b("0003e889045565a900000007000000030000000e00030000000100001000020000000003e889045565a9000000070000"
    "00030000000c000000000000008000000ded0003e889045565a900000007000000030000000600016469736b0003e889"
    "045565a9000000070000000100000000"))
send(probe, b("25609513000000005eed000000000001000000000000000000002000"))
got(probe, b("668e33ef000000015eed000000000001000010080000000000000000") + 512 * b("11") + 512 * b("22") + 512 * b("33") + 512 * b("44") + 512 * b("55") + 512 * b("66") + 512 * b("77") + 512 * b("88") + b("668e33ef000100025eed0000000000010000000c000000000000100000001000"))
send(probe, b("25609513000000005eed00000000000200000000007fe00000002000"))
got(probe, b("668e33ef000000025eed0000000000020000000c00000000007fe00000001000668e33ef000100015eed000000000002"
    "0000100800000000007ff000") + 512 * b("11") + 512 * b("22") + 512 * b("33") + 512 * b("44") + 512 * b("55") + 512 * b("66") + 512 * b("77") + 512 * b("88"))
send(probe, b("25609513000000075eed000000000003000000000000000000001000"))
got(probe, b("668e33ef000100055eed0000000000030000000c000000010000100000000000"))
send(probe, b("25609513000000075eed00000000000400000000007ff00000001000"))
got(probe, b("668e33ef000100055eed0000000000040000000c000000010000100000000000"))
send(probe, b("25609513000000005eed000000000005000000000000000000001000"))
got(probe, b("668e33ef000100015eed000000000005000010080000000000000000") + 512 * b("11") + 512 * b("22") + 512 * b("33") + 512 * b("44") + 512 * b("55") + 512 * b("66") + 512 * b("77") + 512 * b("88"))
send(probe, b("25609513000000005eed00000000000600000000007ff00000001000"))
got(probe, b("668e33ef000100015eed0000000000060000100800000000007ff000") + 512 * b("11") + 512 * b("22") + 512 * b("33") + 512 * b("44") + 512 * b("55") + 512 * b("66") + 512 * b("77") + 512 * b("88"))
send(probe, b("25609513000000025eed000000000007000000000000000000000000"))
ended(probe)
probe.close()
print("reproduced: what came then came again")
sys.exit(1)
