#!/usr/bin/env python3
# violation string.no-nul.server NBD_REP_SERVER: the export name is "disk\x00"
#
# 0 flags FIXED_NEWSTYLE|NO_ZEROES
# 0 NBD_OPT_LIST
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
send(c0, b("00000003"))
send(c0, b("49484156454f50540000000300000000"))
got(c0, b("0003e889045565a900000003000000020000001c000000056469736b00746865206469736b20756e6465722074657374"
    "0003e889045565a900000003000000020000000a000000067370617265000003e889045565a900000003000000010000"
    "0000"))
send(c0, b("49484156454f50540000000200000000"))
got(c0, b("0003e889045565a9000000020000000100000000"))
c0.close()
print("reproduced: what came then came again")
sys.exit(1)
