#!/usr/bin/env python3
@HEAD@
#
# Starts the client, is its server, says byte by byte what was said then, and
# looks at how the client ends. {dir} is a directory with the server's socket,
# {dir}/f, and what is copied, {dir}/data.
# usage: python3 FILE [COMMAND ...]
# exit status: 1 the same is wrong again, 0 it is not
import os, re, signal, socket, subprocess, sys, tempfile, threading, time

COMMAND = @COMMAND@
b = bytes.fromhex
others = []  # where the client says something else than then


def contents(seed):
    words = ((i * 0x9E3779B97F4A7C15 + seed) % 2**64 for i in range(@WORDS@))
    return bytes().join(w.to_bytes(8, "big") for w in words)


server, local = contents(1), contents(2)


class Gone(Exception):
    pass


class Conn:
    def __init__(self, s):
        self.s, self.cookies = s, {}

    def read(self, n):
        data = bytes()
        while len(data) < n:
            try:
                part = self.s.recv(n - len(data))
            except OSError:
                part = bytes()
            if not part:
                raise Gone("it leaves, or falls silent")
            data += part
        return data

    def hear(self, *parts):  # a number stands for the cookie of that request
        for p in parts:
            if isinstance(p, int):
                self.cookies[p] = self.read(8)
                continue
            came = self.read(len(p))
            if came != p:
                others.append("then %s, now %s" % (p[:32].hex(), came[:32].hex()))

    def say(self, *parts):
        data = bytes().join(self.cookies[p] if isinstance(p, int) else p for p in parts)
        step = @SEGMENT@ if len(data) <= 65536 else len(data)
        for i in range(0, len(data), step):
            try:
                self.s.sendall(data[i:i + step])
            except OSError:
                raise Gone("it leaves")

    def left(self):
        try:
            while self.s.recv(65536):
                others.append("it says more than then")
        except OSError:
            pass

    def silent(self):
        time.sleep(1.5)


@TALKS@
def serve(listener):
    for connection in connections:
        c = Conn(listener.accept()[0])
        c.s.settimeout(5)
        threading.Thread(target=visit, args=(connection, c), daemon=True).start()


def visit(connection, c):
    try:
        connection(c)
    except Gone as e:
        others.append(str(e))
    c.s.close()


def run(command):  # how the client ends: its status, None if it does not, and what it writes to stderr
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, start_new_session=True)
    try:
        said = p.communicate(timeout=@TIMEOUT@)[1]
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        return None, ""
    return p.returncode, said.decode(errors="replace")


with tempfile.TemporaryDirectory() as dir:
    os.chmod(dir, 0o777)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(dir + "/f")
    os.chmod(dir + "/f", 0o666)
    listener.listen(16)
    if @COPY_IN@:
        with open(dir + "/data", "wb") as f:
            f.write(local)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    status, said = run([w.replace("{dir}", dir) for w in sys.argv[1:] or COMMAND])
    copy = bytes()
    if os.path.exists(dir + "/data"):
        with open(dir + "/data", "rb") as f:
            copy = f.read()

said = re.sub(r"0x[0-9a-fA-F]+|\d+", "N", said)
for o in others[:3]:
    print("the client says something else:", o)
print("the client ends with status %s" % status)
if @WRONG@:
    print("reproduced: @WHAT@")
    sys.exit(1)
print("not reproduced: @WHAT@")
