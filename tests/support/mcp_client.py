"""A client of `machine mcp` that writes and reads lines, for what a library would never send."""

import json
import queue
import subprocess
import threading

from program import PATIENCE

MODERN = "2026-07-28"


def meta(version=MODERN, **more):
    """What each request of the revision without sessions carries."""
    return {"_meta": {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {},
                      "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}, **more}}


class Client:
    """`with Client(program, "--allow", "blog") as client: client.call("list")`. Leaving it closes the server's stdin and waits."""

    def __init__(self, program, *args, cwd=None, env=None):
        self.child = program.start("mcp", *args, cwd=cwd, env=env, stdin=subprocess.PIPE)
        self.lines, self.log, self.number = queue.Queue(), [], 0
        self.kept = []  # messages that somebody else waits for
        for stream, take in ((self.child.stdout, self.lines.put), (self.child.stderr, self.log.append)):
            threading.Thread(target=self.read, args=(stream, take), daemon=True).start()

    @staticmethod
    def read(stream, take):
        for line in stream:
            take(line)
        take(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes stdin; returns the exit status."""
        if not self.child.stdin.closed:
            try:
                self.child.stdin.close()
            except BrokenPipeError:
                pass
        return self.child.wait(timeout=30 * PATIENCE)

    def write(self, data):
        self.child.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.child.stdin.flush()

    def send(self, message):
        self.write(json.dumps(message) + "\n")

    def request(self, method, params=None, modern=True):
        """Sends a request. Returns its id."""
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": {**(meta() if modern else {}), **(params or {})}})
        return self.number

    def notify(self, method, **params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def message(self, seconds=60):
        """The next message of the server. Every line must be one."""
        line = self.lines.get(timeout=seconds * PATIENCE)
        assert line is not None, f"the server has ended: {b''.join(filter(None, self.log)).decode()}"
        return json.loads(line)

    def await_that(self, fits, seconds=60):
        for message in list(self.kept):
            if fits(message):
                self.kept.remove(message)
                return message
        while True:
            message = self.message(seconds)
            if fits(message):
                return message
            self.kept.append(message)

    def response(self, number, seconds=60):
        return self.await_that(lambda message: message.get("id") == number and "method" not in message, seconds)

    def ask(self, method, params=None, modern=True, seconds=60):
        """Sends a request and returns its result."""
        answer = self.response(self.request(method, params, modern), seconds)
        assert "result" in answer, answer
        return answer["result"]

    def refused(self, method, params=None, modern=True):
        """Sends a request and returns its error."""
        answer = self.response(self.request(method, params, modern))
        assert "error" in answer, answer
        return answer["error"]

    def begin(self, tool, **arguments):
        return self.request("tools/call", {"name": tool, "arguments": arguments})

    def call(self, tool, **arguments):
        return self.ask("tools/call", {"name": tool, "arguments": arguments}, seconds=300)


def found(result):
    """What a tool found."""
    assert not result["isError"], result
    return result["structuredContent"]


def failure(result):
    """What a tool that failed says."""
    assert result["isError"], result
    return result["content"][0]["text"]
