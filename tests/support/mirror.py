"""The server from which tests download, by [mirrors] in config.toml."""

import http.server
import threading


class Mirror:
    """Serves what is in `files`, and records what was asked for."""

    def __init__(self):
        mirror = self
        self.files = {}
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.asked.append(self.path)
                body = mirror.files.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self):
        return f"[mirrors]\n\"https://files.example.org\" = \"http://127.0.0.1:{self.server.server_address[1]}\"\n"
