#!/usr/bin/env python3
@HEAD@
"""Says to an NBD server what a client said in a recorded conversation, and
compares what comes with what came then. It needs Python 3.7 and nothing else.

The server is told all that the client of the recording told it, which may
overwrite the contents of the export.

Exit status: 1 what came then comes again (the failure is still there), 0 it
does not, 2 that could not be found out.
"""
import argparse
import base64
import json
import socket
import ssl
import sys
import zlib

@COMMON@

class Connection:
    def __init__(self, number, sock):
        self.number, self.sock = number, sock
        self.got = b""  # all that the server sent and the recording has
        self.want = b""
        self.over = ""  # why the conversation can't go on
        self.cut = False  # the recording does not go on

    def matters(self, at):
        """Whether the server's byte at this place has to be as it was. Contents
        of the export may be others now, except in the answer in question."""
        place = ABOUT["offending"]
        if place and not place["judged"] and place["connection"] == self.number + 1 \
                and place["offset"] <= at < place["offset"] + place["length"]:
            return True
        return not any(c == self.number and start <= at < end for c, start, end in ABOUT["contents"])

    def same(self, start, end):
        """Whether what matters from start to end came as it did then."""
        want, got = self.want[start:end], self.got[start:end]
        return len(want) == len(got) and (want == got or not any(
            want[i] != got[i] and self.matters(start + i) for i in range(len(want))))


def dial(opts):
    where = opts.server
    if "/" in where:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(opts.timeout)
        sock.connect(where)
        return sock
    host, _, port = where.rpartition(":")
    sock = socket.create_connection((host.strip("[]") or "localhost", int(port)), opts.timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Replay:
    def __init__(self, opts):
        self.opts, self.conns, self.differences = opts, {}, 0

    def say(self, c, text):
        print("%s: %s" % (c.number + 1, text))

    def differs(self, c, text):
        self.differences += 1
        self.say(c, "DIFFERS: " + text)

    def run(self, events):
        for number, kind, data, text in events:
            if kind == "connects":
                self.conns[number] = Connection(number, dial(self.opts))
                self.say(self.conns[number], "connected")
                continue
            c = self.conns[number]
            if not c.over:
                getattr(self, kind.replace("-", "_"))(c, data, text)

    def client(self, c, data, text):
        try:
            c.sock.sendall(data)
            self.say(c, "sent %d bytes" % len(data))
        except OSError as e:
            self.say(c, "sending %d bytes: %s" % (len(data), e))  # what the server said before is still to come

    def server(self, c, data, text):
        got, why = receive(c.sock, len(data))
        base, c.got = len(c.got), c.got + got
        c.want += data
        if got == data:
            self.say(c, "got the %d bytes that came then" % len(data))
            return
        if c.same(base, base + len(data)):
            self.say(c, "got the %d bytes that came then, with other contents of the export" % len(data))
            return
        at = next((i for i in range(len(got)) if got[i] != data[i] and c.matters(base + i)), len(got))
        self.differs(c, "from byte %d on, %d of %d bytes came%s" % (base + at, len(got), len(data), ", " + why if why else ""))
        print("   then:")
        dump(data, base, at)
        print("   now:")
        dump(got, base, at)
        c.over = why

    def server_ends(self, c, data, text):
        got, why = receive(c.sock, 1)
        if got:
            self.differs(c, "the server ended the connection then, and says more now")
        elif "in time" in why:
            self.differs(c, "the server ended the connection then, and does not now")
        else:
            self.say(c, "the server ended the connection, as it did then")
        c.over = "the server ended the connection"

    def silence(self, c, data, text):
        got, why = receive(c.sock, 1)
        if got:
            self.differs(c, "nothing came then (%s), and something does now" % text)
            c.over = "it went another way"
        elif "in time" not in why:
            self.differs(c, "nothing came then (%s); now: %s" % (text, why))
            c.over = why
        else:
            self.say(c, "nothing comes, as then")

    def tls(self, c, data, text):
        context = ssl.create_default_context(cafile=self.opts.tls_ca)
        context.check_hostname = False
        if not self.opts.tls_ca:
            context.verify_mode = ssl.CERT_NONE
        if self.opts.tls_cert:
            context.load_cert_chain(self.opts.tls_cert, self.opts.tls_key)
        try:
            c.sock = context.wrap_socket(c.sock)
            self.say(c, "went over to TLS")
            if text:
                self.say(c, "then that failed: %s. What the client did there this script can't do." % text)
        except (OSError, ssl.SSLError) as e:
            if text:
                self.say(c, "going over to TLS fails: %s; then: %s" % (e, text))
            else:
                self.differs(c, "going over to TLS fails: %s" % e)
            c.over = "no TLS"

    def client_ends(self, c, data, text):
        c.sock.close()
        c.over = "closed"
        self.say(c, "closed")

    def client_half(self, c, data, text):
        try:
            c.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut_client(self, c, data, text):
        self.say(c, "the recording does not go on")
        c.over, c.cut = "the recording does not go on", True
        c.sock.close()

    cut_server = cut_client


def served(opts):
    try:
        sock = dial(opts)
        return bool(receive(sock, 8)[0])
    except OSError:
        return False


def judge(replay, opts):
    now = served(opts)
    if not ABOUT["served"]:
        if now:
            return 0, "the server still serves, and did not then"
        return 1, "the server serves no further connection, as then"
    if not now:
        return 0, "the server serves no further connection: something else is broken"
    cut = any(c.cut for c in replay.conns.values())
    if replay.differences == 0 and not cut:
        return 1, "all that came then came again"
    place = ABOUT["offending"]
    if place and place["judged"] and place["length"] > 0:
        c = replay.conns.get(place["connection"] - 1)
        end = place["offset"] + place["length"]
        if c and len(c.want) >= end and c.same(place["offset"], end):
            return 1, "the message in question came again; differences elsewhere: %d" % replay.differences
    if replay.differences == 0:
        return 2, "the recording is not complete, and as far as it goes the same came"
    return 0, "something else came"


def main():
    p = argparse.ArgumentParser(description="%s: %s" % (ABOUT["spec"], ABOUT["verdict"]), epilog=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("server", help="host:port, or the path of a Unix socket")
    p.add_argument("--timeout", type=float, default=3, help="seconds until silence counts (default 3)")
    p.add_argument("--tls-ca", help="authorities to verify the server by (default: it is not verified)")
    p.add_argument("--tls-cert", help="certificate of the client")
    p.add_argument("--tls-key", help="its key")
    opts = p.parse_args()
    if "/" not in opts.server and not opts.server.rpartition(":")[2].isdigit():
        p.error("%r is neither host:port nor the path of a socket" % opts.server)
    print("%s: %s\n  %s\n" % (ABOUT["spec"], ABOUT["clause"], ABOUT["message"].replace("\n", "\n  ")))
    replay = Replay(opts)
    try:
        replay.run(load())
    except OSError as e:
        if ABOUT["served"] or not replay.conns:
            print("can't tell: %s" % e)
            return 2
    status, why = judge(replay, opts)
    print("\n%s: %s" % (("not reproduced", "reproduced", "can't tell")[status], why))
    return status


if __name__ == "__main__":
    sys.exit(main())
