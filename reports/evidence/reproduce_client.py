#!/usr/bin/env python3
@HEAD@
"""Is the NBD server of a recorded conversation to a client program, says what it
said then, and compares what the client says with what it said then. It needs
Python 3.8 and nothing else.

Without arguments it runs the command of the recording. Behind -- stands another
one, with {uri}, {socket} or {file} in it; --listen waits for a client instead.

Exit status: 1 what came then comes again (the failure is still there), 0 it
does not, 2 that could not be found out.
"""
import argparse
import base64
import bisect
import hashlib
import json
import os
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import zlib

@COMMON@

COOKIE = 8  # bytes of a cookie, which a client is free to choose


class Connection:
    def __init__(self, number, sock):
        self.number, self.sock = number, sock
        self.got = b""  # all that the client sent and the recording has
        self.want = b""
        self.said = 0  # by us, bytes
        self.cookies = {}  # as they were then: as they are now
        self.asked = [o for c, client, o in ABOUT["cookies"] if c == number and client]
        self.answered = [o for c, client, o in ABOUT["cookies"] if c == number and not client]
        self.ended = False  # by the client, as then
        self.over = ""  # why the conversation can't go on
        self.cut = False  # the recording does not go on
        self.handshake = False  # what comes is of a TLS handshake that failed

    def masked(self, data, start, end):
        """The part from start to end, without cookies."""
        part = bytearray(data[start:end])
        for o in self.asked[bisect.bisect_left(self.asked, start - COOKIE):]:
            if o >= end:
                break
            for i in range(max(o, start), min(o + COOKIE, start + len(part))):
                part[i - start] = 0
        return bytes(part)

    def same(self, start, end):
        return self.masked(self.want, start, end) == self.masked(self.got, start, end)

    def learn(self):
        for o in self.asked:
            if o + COOKIE <= len(self.got):
                self.cookies[self.want[o:o + COOKIE]] = self.got[o:o + COOKIE]

    def translated(self, data):
        """What the server said then, to the requests of now."""
        out = bytearray(data)
        for o in self.answered:
            at = o - self.said
            if 0 <= at <= len(data) - COOKIE:
                then = data[at:at + COOKIE]
                out[at:at + COOKIE] = self.cookies.get(then, then)
        return bytes(out)


class Replay:
    def __init__(self, opts, listener):
        self.opts, self.listener, self.conns, self.differences = opts, listener, {}, 0

    def say(self, c, text):
        print("%s: %s" % (c.number + 1, text))

    def differs(self, c, text):
        self.differences += 1
        self.say(c, "DIFFERS: " + text)

    def run(self, events):
        for number, kind, data, text in events:
            if kind == "input":
                continue
            if kind == "connects":
                try:
                    sock, _ = self.listener.accept()
                except socket.timeout:
                    self.differences += 1
                    print("%s: DIFFERS: no connection is made in time" % (number + 1))
                    return
                sock.settimeout(self.opts.timeout)
                self.conns[number] = Connection(number, sock)
                self.say(self.conns[number], "connected")
                continue
            c = self.conns[number]
            if not c.over:
                getattr(self, kind.replace("-", "_"))(c, data, text)

    def server(self, c, data, text):
        try:
            c.sock.sendall(c.translated(data))
            self.say(c, "sent %d bytes" % len(data))
        except OSError as e:
            self.say(c, "sending %d bytes: %s" % (len(data), e))
        c.said += len(data)

    def client(self, c, data, text):
        got, why = receive(c.sock, len(data))
        base, c.got, c.want = len(c.got), c.got + got, c.want + data
        c.learn()
        if c.handshake or c.same(base, base + len(data)):
            self.say(c, "got the %d bytes that came then%s" % (len(data), "" if got == data else ", as far as they have to be the same"))
            return
        then, now = c.masked(c.want, base, base + len(data)), c.masked(c.got, base, base + len(data))
        at = next((i for i in range(len(now)) if now[i] != then[i]), len(now))
        self.differs(c, "from byte %d on, %d of %d bytes came%s" % (base + at, len(got), len(data), ", " + why if why else ""))
        print("   then:")
        dump(data, base, at)
        print("   now:")
        dump(got, base, at)
        c.over = why

    def client_ends(self, c, data, text):
        got, why = receive(c.sock, 1)
        if got:
            self.differs(c, "the client ended the connection then, and says more now")
        elif "in time" in why:
            self.differs(c, "the client ended the connection then, and does not now")
        else:
            self.say(c, "the client ended the connection, as it did then")
            c.ended = True
        c.over = "the client ended the connection"

    def server_ends(self, c, data, text):
        c.sock.close()
        c.over = "closed"
        self.say(c, "closed")

    def tls(self, c, data, text):
        if text:
            self.say(c, "going over to TLS failed then: %s" % text)
            c.handshake = True
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(self.opts.pki, "server-cert.pem"), os.path.join(self.opts.pki, "server-key.pem"))
        try:
            c.sock = context.wrap_socket(c.sock, server_side=True)
            self.say(c, "went over to TLS")
        except (OSError, ssl.SSLError) as e:
            self.differs(c, "going over to TLS fails: %s" % e)
            c.over = "no TLS"

    def cut_client(self, c, data, text):
        self.say(c, "the recording does not go on")
        c.over, c.cut = "the recording does not go on", True
        c.sock.close()

    cut_server = cut_client


class Program:
    """The client program, in a directory of its own with our socket."""

    def __init__(self, opts, events):
        self.opts, self.process = opts, None
        self.dir = tempfile.mkdtemp(prefix="nbdr")
        self.socket = opts.listen or os.path.join(self.dir, "s")
        for _, kind, data, _ in events:
            if kind == "input":
                with open(os.path.join(self.dir, "in"), "wb") as f:
                    f.write(data)
        if opts.pki:
            shutil.copytree(opts.pki, os.path.join(self.dir, "pki"))
        if opts.listen:
            return
        task = ABOUT["task"]
        if opts.command:
            marks = {
                "{uri}": "nbd+unix:///%s?socket=%s" % (urllib.parse.quote(task["export"], safe=""), self.socket),
                "{socket}": self.socket,
                "{file}": os.path.join(self.dir, "in" if any(kind == "input" for _, kind, _, _ in events) else "out"),
            }
        else:
            marks = {task["dir"]: self.dir}
        self.argv = opts.command or task["argv"]
        for mark, text in marks.items():
            self.argv = [w.replace(mark, text) for w in self.argv]

    def start(self):
        if self.opts.listen:
            print("waiting for a client at %s" % self.socket)
            return
        print("$ " + " ".join(shlex.quote(w) for w in self.argv))
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL)

    def end(self):
        """How it ended, in the words of the recording."""
        if not self.process:
            return None
        try:
            code = self.process.wait(self.opts.timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "not in time"
        if code < 0:
            return "a signal"
        return "exit status %d" % code

    def wrote(self):
        try:
            with open(os.path.join(self.dir, "out"), "rb") as f:
                return hashlib.sha256(f.read()).hexdigest()
        except OSError:
            return ""

    def clean(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def judge(replay, program):
    task, place = ABOUT["task"], ABOUT["offending"]
    end = program.end()
    if end:
        print("the program's end: %s; then: %s" % (end, task["end"]))
    if end and ABOUT["verdict"] in ("crash", "hang"):
        if end == task["end"]:
            return 1, "the program's end is as it was then: %s" % end
        return 0, "the program's end: %s" % end
    if place and place["judged"]:
        c = replay.conns.get(place["connection"] - 1)
        last = place["offset"] + place["length"]
        if c and place["length"] > 0 and len(c.want) >= last and c.same(place["offset"], last):
            return 1, "the message in question came again; differences elsewhere: %d" % replay.differences
        if c and place["length"] == 0 and c.ended and c.same(0, len(c.want)):
            return 1, "the connection ended in the same place"
    cut = any(c.cut for c in replay.conns.values())
    if replay.differences == 0 and not cut:
        if end and end != task["end"]:
            return 0, "the same was said, and the program's end is another: %s" % end
        if end and program.wrote() != task.get("wrote", ""):
            return 0, "the same was said, and the file is another one"
        return 1, "all that came then came again"
    if place and place["judged"] or end and end != task["end"]:
        return 0, "something else came"
    return 2, "something else was said, and the program ended as it did then" if end else "something else was said"


def main():
    p = argparse.ArgumentParser(description="%s: %s" % (ABOUT["spec"], ABOUT["verdict"]), epilog=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("command", nargs="*", help="behind --: another client program")
    p.add_argument("--listen", metavar="SOCKET", help="start no program, and wait for one at this Unix socket")
    p.add_argument("--timeout", type=float, default=5, help="seconds until silence counts (default 5)")
    p.add_argument("--pki", help="directory with server-cert.pem and server-key.pem, and what the client trusts, for TLS")
    opts = p.parse_args()
    if not opts.command and not opts.listen and not ABOUT["task"].get("argv"):
        p.error("no command is recorded: give one behind --, or --listen")
    print("%s: %s\n  %s\n" % (ABOUT["spec"], ABOUT["clause"], ABOUT["message"].replace("\n", "\n  ")))
    events = load()
    if not opts.pki and any(kind == "tls" and not text for _, kind, _, text in events):
        print("can't tell: the conversation goes over to TLS, which takes --pki")
        return 2
    program = Program(opts, events)
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(program.socket)
        listener.listen(64)
        listener.settimeout(None if opts.listen else opts.timeout)
        program.start()
        replay = Replay(opts, listener)
        replay.run(events)
        for c in replay.conns.values():
            c.sock.close()
        listener.close()
        status, why = judge(replay, program)
    except OSError as e:
        print("can't tell: %s" % e)
        return 2
    finally:
        program.clean()
    print("\n%s: %s" % (("not reproduced", "reproduced", "can't tell")[status], why))
    return status


if __name__ == "__main__":
    sys.exit(main())
