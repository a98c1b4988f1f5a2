#!/usr/bin/env python3
"""A small client of the Mesh protocol, and checks of a node with it: python3 tests/protocol_client.py SOCKET

It is written from docs/reference/protocol.md alone, with the standard library alone: what works here can be written
from that page in any language. First comes the client (`Frame`, and `Link`, which has one thread and keeps what comes
before it is asked for), then the checks. Each prints a line; the exit status is 1 if one of them failed.
"""

import contextlib
import itertools
import json
import os
import socket
import struct
import sys
import time
from dataclasses import dataclass, field, replace

HELLO, WELCOME, ERROR, OK, PING, PONG, GOODBYE = range(0x01, 0x08)
SUBSCRIBE, UNSUBSCRIBE, CREDIT, DROPPED = range(0x10, 0x14)
PUBLISH, DELIVER, CHUNK = range(0x20, 0x23)
REQUEST, CALL, REPLY, REPLY_CREDIT, CANCEL, END = range(0x30, 0x36)
MORE, FAILED, FATAL, GATHER = 0x02, 0x04, 0x10, 0x20
EXT_CHUNK, EXT_ENCODING, EXT_KEY, EXT_REPLY_CREDIT, EXT_MAX_REPLIES = range(4, 9)
NULL, BYTES, STR, I64, U64, F64, BOOL, TIMESTAMP = range(8)
(EVENTS, RESPONDER), (DROP_OLDEST, DROP_NEWEST, CLOSE) = range(2), range(3)
PREFACE = b"MESH\r\n\x1a\n"
FIXED = struct.Struct("<IBBHHHIQ")
NUMBERS = {kind: struct.Struct(form) for kind, form in zip((I64, U64, F64, BOOL, TIMESTAMP), "<q <Q <d <? <q".split())}
PART = 262_144  # bodies over this go in chunks
WAIT = 20  # seconds that any single wait may take


class MeshError(Exception):
    """What the node refused or ended; its arguments are the code, the kind it is about, and the cause."""


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def string(text):
    return varint(len(text.encode())) + text.encode()


def read_varint(data):
    byte = next(data)
    return byte if byte < 128 else byte - 128 + (read_varint(data) << 7)


def read_postcard(types, body):
    """The fields of a control body, by their types: `b` u8, `v` varint, `s` String."""
    data = iter(body)
    read = {"b": lambda: next(data), "v": lambda: read_varint(data),
            "s": lambda: bytes(itertools.islice(data, read_varint(data))).decode()}
    fields = [read[kind]() for kind in types]
    assert not list(data), "bytes left over behind a control body"
    return fields


def encode_headers(headers):
    """Headers are a list of `(name, type, value)`."""
    out, values = b"", {NULL: lambda none: b"", STR: str.encode, **{kind: form.pack for kind, form in NUMBERS.items()}}
    for name, kind, value in headers:
        name, value = name.encode(), values.get(kind, bytes)(value)
        out += struct.pack("<BBH", kind, len(name), len(value)) + name + value
    return out


def decode_headers(data):
    headers, values = [], {NULL: lambda empty: None, STR: bytes.decode}
    while data:
        kind, name_len, value_len = struct.unpack_from("<BBH", data)
        name, value, data = data[4:4 + name_len], data[4 + name_len:][:value_len], data[4 + name_len + value_len:]
        value = NUMBERS[kind].unpack(value)[0] if kind in NUMBERS else values.get(kind, bytes)(value)
        headers.append((name.decode(), kind, value))
    return headers


@dataclass
class Frame:
    kind: int
    id: int = 0
    aux: int = 0
    flags: int = 0
    subject: str = ""
    headers: list = field(default_factory=list)
    ext: dict = field(default_factory=dict)  # value by tag
    body: bytes = b""

    def encode(self):
        ext = b"".join(bytes([tag, len(value)]) + value for tag, value in self.ext.items())
        subject, headers = self.subject.encode(), encode_headers(self.headers)
        rest, lengths = ext + subject + headers + self.body, (len(subject), len(headers), len(ext))
        return FIXED.pack(FIXED.size + len(rest), self.kind, self.flags, *lengths, self.aux, self.id) + rest

    @classmethod
    def decode(cls, data):
        _, kind, flags, subject_len, headers_len, ext_len, aux, number = FIXED.unpack_from(data)
        ext, at = {}, FIXED.size
        while at < FIXED.size + ext_len:
            tag, length = data[at], data[at + 1]
            ext[tag], at = data[at + 2:at + 2 + length], at + 2 + length
        subject, at = data[at:at + subject_len].decode(), at + subject_len
        headers, at = decode_headers(data[at:at + headers_len]), at + headers_len
        return cls(kind, number, aux, flags, subject, headers, ext, data[at:])

    def error(self):
        """The error that an ERROR, an END or a failed REPLY is."""
        about, cause, _ = read_postcard("bsv", self.body) if self.kind == ERROR else (REQUEST, self.body.decode(), 0)
        return MeshError(self.aux, about, cause)


def read_frames(stream):
    """The frames that come until the node closes the link; a reset says that it left unread what was sent last."""
    buffer = b""
    with contextlib.suppress(ConnectionResetError):
        while data := stream.recv(PART):
            buffer += data
            while len(buffer) >= FIXED.size and len(buffer) >= (length := FIXED.unpack_from(buffer)[0]):
                yield Frame.decode(buffer[:length])
                buffer = buffer[length:]


def hello(versions=0x0001_0001):
    body = string("checks") + string("protocol_client 1") + string("python") + b"\0" + varint(os.getpid())
    return Frame(HELLO, id=7, aux=versions, body=body).encode()


class Link:
    """A link to a node. Subscriptions and requests go by their ids, calls by their CALL."""

    def __init__(self, path, opening=None):
        self.socket, self.ids = socket.socket(socket.AF_UNIX), itertools.count(1)
        self.incoming, self.kept, self.series = read_frames(self.socket), [], {}
        self.socket.settimeout(WAIT)
        self.socket.connect(path)
        self.socket.sendall(opening or PREFACE + hello())
        self.welcome = self.wait(WELCOME)

    def send(self, kind, id=0, aux=0, flags=0, body=b"", **parts):
        """Sends a frame, in chunks where its body is large."""
        first, chunks = body, [body[at:at + PART] for at in range(PART, len(body), PART)]
        if chunks:
            first, series = body[:PART], next(self.ids)
            parts["ext"] = {**parts.get("ext", {}), EXT_CHUNK: struct.pack("<IQ", series, len(body))}
        self.socket.sendall(Frame(kind, id, aux, flags, body=first, **parts).encode())
        for left, part in zip(reversed(range(len(chunks))), chunks):
            self.socket.sendall(Frame(CHUNK, series, flags=MORE if left else 0, body=part).encode())

    def receive(self):
        """The next frame; one whose body comes in chunks when it is whole. A fatal ERROR is raised."""
        for frame in self.incoming:
            if frame.kind == PING:
                self.send(PONG, frame.id)
            elif frame.kind == ERROR and frame.flags & FATAL:
                assert not list(self.incoming), "the link goes on behind a fatal ERROR"
                raise frame.error()
            elif EXT_CHUNK in frame.ext:
                series, length = struct.unpack("<IQ", frame.ext.pop(EXT_CHUNK))
                self.series[series] = frame, length
            elif frame.kind == CHUNK:
                whole, length = self.series[frame.id]
                whole.body += frame.body
                if not frame.flags & MORE:
                    assert len(whole.body) == length, "a series of another length than announced"
                    return self.series.pop(frame.id)[0]
            else:
                return frame
        raise EOFError("the node closed the link")

    def wait(self, *kinds, id=None):
        """The next frame of these kinds, and with this id if one is given. Others are kept until they are asked for."""
        until = time.monotonic() + WAIT
        for at in itertools.count():
            if at == len(self.kept):
                assert time.monotonic() < until, f"waited too long for {kinds}"
                self.kept.append(self.receive())
            if self.kept[at].kind in kinds and id in (None, self.kept[at].id):
                return self.kept.pop(at)

    def ask(self, answer, kind, id=None, **parts):
        """Sends a frame that is answered by one of kind `answer`, waits, and gives its id; an ERROR is raised."""
        id = next(self.ids) if id is None else id
        self.send(kind, id, **parts)
        frame = self.wait(answer, ERROR, id=id)
        if frame.kind == ERROR:
            raise frame.error()
        return id

    def publish(self, subject, body=b"", **parts):
        self.send(PUBLISH, subject=subject, body=body, **parts)

    def subscribe(self, pattern, group=None, mode=EVENTS, credit=1000, pending=0, overflow=DROP_OLDEST):
        group = b"\0" if group is None else b"\1" + string(group)
        body = group + b"".join(map(varint, (mode, credit, pending, 0, overflow))) + b"\0"
        return self.ask(OK, SUBSCRIBE, subject=pattern, body=body)

    def request(self, subject, body=b"", timeout=WAIT, **parts):
        """Sends a request and gives its id."""
        number = next(self.ids)
        self.send(REQUEST, number, int(timeout * 1000), subject=subject, body=body, **parts)
        return number

    def reply(self, call, body=b"", **parts):
        self.send(REPLY, call.id, body=body, **parts)

    def replies(self, request):
        """All replies to a request, to the last or the END; a failed one, and an END with a code, is raised."""
        replies = []
        while not replies or replies[-1].flags & MORE:
            frame = self.wait(REPLY, END, id=request)
            if frame.flags & FAILED or frame.kind == END and frame.aux:
                raise frame.error()
            replies.append(frame)
        return [frame for frame in replies if frame.kind == REPLY]


def same(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def refused(code, action, *args, **options):
    try:
        action(*args, **options)
    except MeshError as error:
        return same(error.args[0], code)
    raise AssertionError(f"not refused with MESH-{code}")


def bodies(link, subscription, count):
    return [link.wait(DELIVER, id=subscription).body for _ in range(count)]


class Checks:
    """Every check has two links of its own."""

    def welcome(self, link, other):
        node, cluster, version, start, number, identity, *limits = read_postcard("sssvvsvvvv", link.welcome.body)
        same((link.welcome.aux, link.welcome.id, limits[1]), (1, 7, 1_048_576))
        same(identity, f"unix:uid={os.getuid()},pid={os.getpid()}")
        assert node and cluster and version and start > 10**15, link.welcome
        same(read_postcard("sssvvsvvvv", other.welcome.body)[4] == number, False)

    def wildcard_and_every_type_of_header(self, link, other):
        headers = [("n", NULL, None), ("b", BYTES, b"\0\xff"), ("s", STR, "ü"), ("s", STR, ""), ("i", I64, -2**63),
                   ("u", U64, 2**64 - 1), ("f", F64, -0.1), ("t", BOOL, True), ("t", TIMESTAMP, -1), ("o", 200, b"x")]
        ext, subscription = {EXT_ENCODING: b"\2", EXT_KEY: b"o-7", 99: b"later"}, link.subscribe("orders.*.new")
        for subject in ("orders.new", "orders.eu.north.new", "Orders.eu.new"):
            other.publish(subject)
        other.publish("orders.eu.new", b"{}", headers=headers, ext=ext)
        same(link.wait(DELIVER), Frame(DELIVER, subscription, 0, 0, "orders.eu.new", headers, ext, b"{}"))

    def two_subscribers_one_publish(self, link, other):
        mine, its = link.subscribe("news.>"), other.subscribe("news.today")
        link.publish("news.today", b"rain")
        same(bodies(link, mine, 1) + bodies(other, its, 1), [b"rain", b"rain"])

    def group_shares(self, link, other):
        members = [(link, link.subscribe("jobs.*", "crew"), []), (other, other.subscribe("jobs.a", "crew"), [])]
        for number in range(100):
            link.publish("jobs.a", b"%d" % number)
        until = time.monotonic() + WAIT
        while sum(len(share) for *_, share in members) < 100 and time.monotonic() < until:
            for member, subscription, share in members:
                member.ask(PONG, PING)
                share += bodies(member, subscription, len(member.kept))
        same(sorted(int(body) for *_, share in members for body in share), list(range(100)))
        assert all(share for *_, share in members), "a member got nothing"

    def credit_runs_out(self, link, other):
        for overflow, left in (DROP_OLDEST, [b"7", b"8", b"9"]), (DROP_NEWEST, [b"2", b"3", b"4"]), (CLOSE, []):
            subscription, dropped = link.subscribe("flood", credit=2, pending=3, overflow=overflow), 0
            for number in range(10):
                other.publish("flood", b"%d" % number)
            same(bodies(link, subscription, 2), [b"0", b"1"])
            while dropped < (4 if overflow == CLOSE else 5):
                dropped += link.wait(DROPPED, id=subscription).aux
            if overflow == CLOSE:
                return same(link.wait(ERROR, id=subscription).aux, 2030)
            link.send(CREDIT, subscription, 10)
            same((dropped, bodies(link, subscription, 3)), (5, left))
            link.ask(OK, UNSUBSCRIBE, subscription)

    def credit_for_nobody_and_too_much(self, link, other):
        link.send(CREDIT, 4242, 10)  # ignored
        assert link.ask(PONG, PING) and not link.kept, link.kept
        refused(2020, link.ask, OK, UNSUBSCRIBE, 4242)
        refused(2025, link.ask, PONG, CREDIT, link.subscribe("much", credit=10), aux=65_526)
        refused(2024, link.subscribe, "much", credit=0)

    def request_and_reply(self, link, other):
        headers, ext, served = [("n", U64, 2)], {EXT_KEY: b"k"}, other.subscribe("echo.*", "echo", RESPONDER)
        request = link.request("echo.it", b"hi", headers=headers)
        call = other.wait(CALL)
        same((call.id >> 32, call.aux, call.subject), (served, WAIT * 1000, "echo.it"))
        other.reply(call, call.body, headers=call.headers, ext=ext)
        same(link.replies(request), [Frame(REPLY, request, headers=headers, ext=ext, body=b"hi")])
        refused(3011, other.ask, PONG, REPLY, call.id, body=b"again")
        refused(3010, link.ask, PONG, REPLY, call.id)
        request = link.request("echo.it")
        other.reply(other.wait(CALL), b"no", flags=FAILED, aux=17)
        refused(17, link.replies, request)

    def requests_that_fail(self, link, other):
        refused(1042, link.replies, link.request("nobody.there", timeout=3600))  # at once, not then
        other.subscribe("slow", mode=RESPONDER, credit=1)
        refused(3001, link.replies, link.request("slow", timeout=0.1))
        call = other.wait(CALL)
        same(other.wait(CANCEL).id, call.id)
        other.reply(call, b"too late")  # dropped without a word
        request = link.request("slow")
        refused(3009, link.replies, link.request("slow"))
        link.send(CANCEL, request)
        same(other.wait(CALL).id, other.wait(CANCEL).id)
        request = link.request("slow")
        other.wait(CALL)
        other.socket.close()
        refused(3003, link.replies, request)

    def gather(self, link, other):
        refused(1042, link.replies, link.request("all", flags=GATHER))
        for owner, group in (link, None), (other, None), (other, "crew"), (other, "crew"):
            owner.subscribe("all", group, RESPONDER)
        request = link.request("all", flags=GATHER)
        for owner in link, other, other:  # the group has one call
            owner.reply(owner.wait(CALL), b"here")
        same([(reply.body, reply.flags) for reply in link.replies(request)], [(b"here", MORE)] * 3)
        request = link.request("all", flags=GATHER, ext={EXT_MAX_REPLIES: b"\1\0\0\0"})
        link.reply(link.wait(CALL), b"first")
        same(len(link.replies(request)), 1)
        other.wait(CANCEL)

    def several_replies_with_credit(self, link, other):
        other.subscribe("series", mode=RESPONDER)
        request = link.request("series", ext={EXT_REPLY_CREDIT: b"\2\0\0\0"})
        call = other.wait(CALL)
        for body in b"1", b"2":
            other.reply(call, body, flags=MORE)
        refused(3012, other.ask, PONG, REPLY, call.id, body=b"too many", flags=MORE)
        link.send(REPLY_CREDIT, request, 1)
        same(other.wait(REPLY_CREDIT, id=call.id).aux, 1)
        other.reply(call, b"3", flags=MORE)
        other.reply(call, b"the last needs no credit")
        same([reply.body for reply in link.replies(request)], [b"1", b"2", b"3", b"the last needs no credit"])

    def a_megabyte_in_chunks_both_ways(self, link, other):
        subscription, body = link.subscribe("large.*"), os.urandom(1_000_000)
        other.subscribe("large.echo", mode=RESPONDER)
        other.publish("large.message", body)
        request = link.request("large.echo", body)
        other.reply(call := other.wait(CALL), call.body[::-1])
        assert link.replies(request)[0].body == body[::-1], "another body came back"
        assert bodies(link, subscription, 1) == [body], "another body was delivered"

    def requests_to_the_node(self, link, other):
        info = json.loads(link.replies(link.request("$mesh.node.info"))[0].body)
        same((info["state"], info["protocol"]), ("ready", 1))
        refused(3030, link.replies, link.request("$mesh.nothing"))
        refused(3031, link.replies, link.request("$mesh.links", b"{"))

    def refused_messages_leave_the_link_open(self, link, other):
        for code, subject in (2004, "$mesh.x"), (2005, "a.*"), (2001, "a..b"):
            refused(code, link.ask, PONG, PUBLISH, subject=subject)
        refused(1020, link.ask, PONG, PUBLISH, subject="a", headers=[("", NULL, None)])
        refused(2004, link.subscribe, "$mesh.>")
        link.ask(PONG, PING)

    def goodbye(self, link, other):
        subscription = link.subscribe("leaving")
        link.publish("leaving", b"heard")
        link.send(GOODBYE)
        same((bodies(link, subscription, 1), link.wait(GOODBYE).aux, list(link.incoming)), ([b"heard"], 0, []))

    def broken_input_closes_only_its_link(self, link, other):
        path, frame = link.socket.getpeername(), Frame(PUBLISH, flags=MORE, subject="a").encode()
        for code, data in (1001, b"GET / HTTP/1.1\r\n\r\n"), (1002, PREFACE + hello(0x9_0008)), (1003, PREFACE + frame):
            refused(code, Link, path, data)
        for code, data in (1004, hello()), (1010, b"\x17\0\0\0"), (1011, b"\1\0\x10\0"), (1015, frame):
            refused(code, Link(path, PREFACE + hello() + data).wait, PONG)
        link.ask(PONG, PING)


def main(path):
    checks = [check for name, check in vars(Checks).items() if not name.startswith("_")]
    failed = 0
    for check in checks:
        try:
            check(Checks(), Link(path), Link(path))
            result = "ok"
        except Exception as problem:
            failed, result = failed + 1, f"FAILED: {type(problem).__name__} {problem}"
        print(f"{check.__name__.replace('_', ' ')}: {result}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
