"""grpcio on both sides: the four kinds of calls, errors, metadata, deadlines, cancellation."""

from __future__ import annotations

import threading
import time
from concurrent import futures
from typing import Iterator

import grpc
from stand import HOST, Stand

SERVICE = "calls.Calls"
MANY = 100
LARGE = b"x" * (3 << 20)


def play(stand: Stand) -> int:
    """Over HTTP/2 without and with TLS. Gives how many calls that were."""
    server = _server(stand.grpc)
    try:
        credentials = grpc.ssl_channel_credentials(stand.ca.read_bytes())
        plain = grpc.insecure_channel(f"{HOST}:{stand.web}")
        secure = grpc.secure_channel(f"{HOST}:{stand.secure}", credentials)
        calls = 0
        for name, channel in (("h2c", plain), ("h2", secure)):
            with channel:
                for what in (_unary, _streams, _errors, _deadline, _cancelled):
                    try:
                        what(channel)
                    except (AssertionError, grpc.RpcError) as error:
                        raise SystemExit(f"grpc over {name}: {what.__name__}: {error}") from error
                    calls += 1
        return calls
    finally:
        server.stop(None).wait()


CANCELLED = threading.Event()


def _server(port: int) -> grpc.Server:
    """Messages are bytes: no compiler is needed."""

    def echo(message: bytes, context: grpc.ServicerContext) -> bytes:
        sent = dict(context.invocation_metadata())
        context.send_initial_metadata([("x-seen", sent.get("x-sent", ""))])
        context.set_trailing_metadata([("x-trailer", "last"), ("x-bytes-bin", b"\0\xff")])
        return message

    def count(message: bytes, _: grpc.ServicerContext) -> Iterator[bytes]:
        for number in range(int(message)):
            yield str(number).encode()

    def total(messages: Iterator[bytes], _: grpc.ServicerContext) -> bytes:
        return str(sum(int(message) for message in messages)).encode()

    def talk(messages: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
        for message in messages:
            yield message.upper()

    def fail(_: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata([("x-why", "because")])
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now: ä")
        return b""

    def wait(_: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(CANCELLED.set)
        yield b"first"
        while context.is_active():
            time.sleep(0.01)

    handlers = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Total": grpc.stream_unary_rpc_method_handler(total),
        "Talk": grpc.stream_stream_rpc_method_handler(talk),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Wait": grpc.unary_stream_rpc_method_handler(wait),
    }
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


def _unary(channel: grpc.Channel) -> None:
    echo = channel.unary_unary(f"/{SERVICE}/Echo")
    for message in (b"", b"hello", LARGE):
        answer, call = echo.with_call(message, metadata=[("x-sent", "yes")], timeout=20)
        assert answer == message, "another message"
        assert ("x-seen", "yes") in call.initial_metadata(), call.initial_metadata()
        trailing = dict(call.trailing_metadata())
        assert trailing["x-trailer"] == "last", trailing
        assert trailing["x-bytes-bin"] == b"\0\xff", trailing


def _streams(channel: grpc.Channel) -> None:
    numbers = [str(number).encode() for number in range(MANY)]
    count = channel.unary_stream(f"/{SERVICE}/Count")
    assert list(count(str(MANY).encode(), timeout=20)) == numbers, "another stream"
    total = channel.stream_unary(f"/{SERVICE}/Total")
    assert int(total(iter(numbers), timeout=20)) == sum(range(MANY)), "another sum"
    # Each message is answered before the next one is sent: nothing may be held back.
    answered = threading.Semaphore(1)

    def paced() -> Iterator[bytes]:
        for number in range(20):
            assert answered.acquire(timeout=10), "an answer is held back"
            yield f"message {number}".encode()

    for number, answer in enumerate(channel.stream_stream(f"/{SERVICE}/Talk")(paced(), timeout=20)):
        assert answer == f"MESSAGE {number}".encode(), answer
        answered.release()


def _errors(channel: grpc.Channel) -> None:
    for method, code, text in (
        ("Fail", grpc.StatusCode.FAILED_PRECONDITION, "not now: ä"),
        ("None", grpc.StatusCode.UNIMPLEMENTED, "Method not found!"),
    ):
        try:
            channel.unary_unary(f"/{SERVICE}/{method}")(b"", timeout=20)
            raise AssertionError(f"{method} did not fail")
        except grpc.RpcError as error:
            assert error.code() == code, error
            assert error.details() == text, error
            if method == "Fail":
                assert ("x-why", "because") in error.trailing_metadata(), error


def _deadline(channel: grpc.Channel) -> None:
    CANCELLED.clear()
    try:
        list(channel.unary_stream(f"/{SERVICE}/Wait")(b"", timeout=0.5))
        raise AssertionError("there was no end")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
    assert CANCELLED.wait(10), "the server was not told of the deadline"


def _cancelled(channel: grpc.Channel) -> None:
    CANCELLED.clear()
    call = channel.unary_stream(f"/{SERVICE}/Wait")(b"", timeout=20)
    assert next(call) == b"first", "no first message"
    call.cancel()
    assert CANCELLED.wait(10), "the server was not told that the client has left"
