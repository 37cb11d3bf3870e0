#!/usr/bin/env bash
# wechatpy 1.8.18: a refused bill loses its code. API v2 refuses bills with error_code (not err_code, as all its other
# interfaces), so the exception's errcode is None and "there was no trade on that day" (20002) can be told from
# "it is not made yet" (20003) by the English words alone. Exits non-zero if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install -q wechatpy==1.8.18 cryptography==50.0.2
"$folder/python/bin/python" - <<'PY'
import sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

class Door(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg><error_code>20002</error_code></xml>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

door = HTTPServer(("127.0.0.1", 0), Door)
threading.Thread(target=door.serve_forever, daemon=True).start()
WeChatPay.API_BASE_URL = f"http://127.0.0.1:{door.server_port}/"
try:
    WeChatPay("wx", "k" * 32, "1900000109", timeout=5).tools.download_bill("20261008")
    sys.exit("it was not refused")
except WeChatPayException as e:
    print(f"wechatpy 1.8.18: error_code 20002 arrives as errcode {e.errcode!r}, return_msg {e.return_msg!r}")
    sys.exit(0 if e.errcode is None and e.return_msg == "No Bill Exist" else 1)
PY
