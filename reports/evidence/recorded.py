# What is known of the recorded conversation.
ABOUT = json.loads(r'''@ABOUT@''')

# The recording: zlib, base64. Within: a line of JSON, a list of events
# [connection, kind, number of bytes, text], and then the bytes of all.
RECORDED = """
@DATA@
"""


def load():
    raw = zlib.decompress(base64.b64decode(RECORDED))
    head, _, body = raw.partition(b"\n")
    events, at = [], 0
    for conn, kind, size, text in json.loads(head):
        events.append((conn, kind, body[at:at + size], text))
        at += size
    return events


def receive(sock, size):
    """Returns up to size bytes and, if there are fewer, why."""
    parts, have = [], 0
    while have < size:
        try:
            part = sock.recv(min(size - have, 1 << 20))
        except socket.timeout:
            return b"".join(parts), "nothing more came in time"
        except OSError as e:
            return b"".join(parts), "the connection broke: %s" % e
        if not part:
            return b"".join(parts), "the other side ended the connection"
        parts.append(part)
        have += len(part)
    return b"".join(parts), ""


def dump(data, base, mark=-1, lines=8):
    start = max(0, mark // 16 * 16 - 16) if mark >= 0 else 0
    for at in range(start, min(len(data), start + 16 * lines), 16):
        row = data[at:at + 16]
        text = "".join(chr(c) if 32 <= c < 127 else "." for c in row)
        flag = ">" if 0 <= mark - at < 16 else " "
        print("   %s %08x  %-47s  %s" % (flag, base + at, row.hex(" ") if sys.version_info >= (3, 8) else row.hex(), text))
