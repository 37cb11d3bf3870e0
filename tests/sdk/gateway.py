"""Stands between a shop and a simulated WeChat, passes on every byte as it is, and writes down what the shop sent: a JSON
object a line with method, path, headers and body (Base64)."""
import base64, http.client, json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

simulator_port, record = int(sys.argv[1]), sys.argv[2]
lock = threading.Lock()

class Between(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with lock, open(record, "a") as lines:
            entry = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": base64.b64encode(body).decode()}
            lines.write(json.dumps(entry) + "\n")
        there = http.client.HTTPConnection("127.0.0.1", simulator_port, timeout=60)
        there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            there.putheader(name, value)
        there.endheaders(body or None)
        answer = there.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = pass_on

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Between)
print(server.server_port, flush=True)
server.serve_forever()
