#!/usr/bin/env bash
# wechatpayv3 2.0.4: an out_trade_no may hold | (WeChat's alphabet is 0-9 A-Z a-z _ - | *), but a query of such an order
# signs the path as it is written and sends it with %7C: what is signed is not what is sent, and WeChat answers
# 401 SIGN_ERROR for an order that is there. The same number in a body (order, refund) is fine.
# Exits non-zero if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install -q wechatpayv3==2.0.4 requests==2.34.2
"$folder/python/bin/python" - <<'PY'
import sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.utils import rsa_verify

key = rsa.generate_private_key(65537, 2048)
private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
heard = []

class Door(BaseHTTPRequestHandler):
    def do_GET(self):
        heard.append((self.path, self.headers["Authorization"]))
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *_): pass

door = HTTPServer(("127.0.0.1", 0), Door)
threading.Thread(target=door.serve_forever, daemon=True).start()
pay = WeChatPay(WeChatPayType.JSAPI, "1900000109", private, "AA", "wx", "0" * 32, "http://127.0.0.1:9/", public_key=public, public_key_id="PUB_KEY_ID_01")
pay._core._gate_way = f"http://127.0.0.1:{door.server_port}"
signed = {}
for number in ("SHOP*1", "SHOP|1"):
    pay.query(out_trade_no=number)
    path, authorization = heard[-1]
    fields = dict(part.split("=", 1) for part in authorization.split(" ", 1)[1].split(","))
    field = lambda name: fields[name].strip('"')
    signed[number] = rsa_verify(f"GET\n{path}\n{field('timestamp')}", field("nonce_str"), "", field("signature"), key.public_key())
    print(f"wechatpayv3 2.0.4: {number} is sent as {path}: the signature {'holds' if signed[number] else 'does not hold'}")
sys.exit(0 if signed == {"SHOP*1": True, "SHOP|1": False} else 1)
PY
