"""A shop that buys, asks, closes, refunds and fetches a bill by API v3, and wechatpayv3 over every request that it signed:
the signature holds, and the SDK makes the very same Authorization header from the same bytes. Prints a line a request."""
import base64, datetime, gzip, json, sys, time

import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
import wechatpayv3.utils as sdk

shop, simulator, record, folder, serial, mch_id, public_id, password = sys.argv[1:]
private = sdk.load_private_key(open(f"{folder}/apiclient_key.pem").read())

def wait(what, look):
    for _ in range(400):
        found = look()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"waited in vain for {what}")

# ── what the shop does ──
code = requests.get(f"{simulator}/simulator/login", params={"user": "alice"}, timeout=5).json()["code"]
token = requests.post(f"{shop}/api/v1/login", json={"code": code}, timeout=5).json()["token"]
address = {"receiver": "王小样", "phone": "13800001234", "province": "浙江省", "city": "杭州市", "district": "西湖区", "detail": "演示路 1 号"}

def call(method, path, key=None, body=None):
    headers = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}
    answer = requests.request(method, f"{shop}/api/v1{path}", headers=headers, json=body, timeout=30)
    assert answer.ok, (path, answer.status_code, answer.text)
    return answer.json()

def buy(key):
    return call("POST", "/prepay", key, {"items": [{"skuId": "1", "quantity": 1}], "address": address})

paid, dropped = buy("sdk-v3-paid"), buy("sdk-v3-dropped")
payment = paid["payment"]
text = "".join(f"{payment[name]}\n" for name in ("appId", "timeStamp", "nonceStr", "package"))
assert sdk.rsa_sign(private, text) == payment["paySign"], "paySign"
print("wechatpayv3 2.0.4 over the shop: paySign is the same")
requests.put(f"{simulator}/simulator/ways", json={"closesEarly": True, "refundTakesMs": 0}, timeout=5).raise_for_status()
prepay_id = payment["package"].removeprefix("prepay_id=")
requests.post(f"{simulator}/simulator/pay", json={"prepayId": prepay_id, "way": "no_notice"}, timeout=5).raise_for_status()
number = paid["order"]["orderNo"]
assert call("POST", f"/orders/{number}/check")["status"] == "to_ship"
call("POST", f"/orders/{dropped['order']['orderNo']}/cancel")
console = requests.Session()
entered = console.post(f"{shop}/admin/login", data={"account": "owner", "password": password}, timeout=30)
assert entered.ok, (entered.status_code, entered.text[:2000])
form = {"whole": "true", "reason": "协商一致退款", "confirmed": "true"}
answer = console.post(f"{shop}/admin/orders/{number}/refund", data=form, timeout=30)
assert answer.ok, (answer.status_code, answer.text[:2000])
wait("the refund", lambda: call("GET", f"/orders/{number}")["refundedFen"] > 0)

# ── what it sent ──
def fields(header):
    scheme, rest = header.split(" ", 1)
    assert scheme == "WECHATPAY2-SHA256-RSA2048", header
    return dict((name, value.strip('"')) for name, value in (part.split("=", 1) for part in rest.split(",")))

def check(entry):
    headers = {name.lower(): value for name, value in entry["headers"]}
    body = base64.b64decode(entry["body"]).decode()
    signed = fields(headers["authorization"])
    assert (signed["mchid"], signed["serial_no"].upper()) == (mch_id, serial.upper()), signed
    assert headers["wechatpay-serial"] == public_id and headers["accept"] and headers["user-agent"], headers
    # The three lines that the SDK verifies become the five of a request.
    head = f"{entry['method']}\n{entry['path']}\n{signed['timestamp']}"
    assert sdk.rsa_verify(head, signed["nonce_str"], body, signed["signature"], private.public_key()), entry["path"]
    moment, time.time = time.time, lambda: int(signed["timestamp"])
    try:
        same = sdk.build_authorization(entry["path"], entry["method"], mch_id, signed["serial_no"], private, body, signed["nonce_str"])
    finally:
        time.time = moment
    assert same == headers["authorization"], (same, headers["authorization"])
    print(f"wechatpayv3 2.0.4 over the shop: {entry['method']} {entry['path'].split('?')[0]}: the same Authorization")

for line in sys.stdin if record == "-" else open(record):
    entry = json.loads(line)
    if entry["path"].startswith("/v3/"):
        check(entry)
