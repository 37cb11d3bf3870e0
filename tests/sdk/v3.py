"""wechatpayv3 against the simulated WeChat: order, query, refund, close, bill, and a notice. Prints a line each."""
import datetime, gzip, hashlib, json, sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests
from wechatpayv3 import WeChatPay, WeChatPayType

base, folder, v3_key, serial, public_id, mch_id, app_id = sys.argv[1:]
read = lambda name: open(f"{folder}/{name}").read()
heard = []

class Door(BaseHTTPRequestHandler):
    def do_POST(self):
        heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_): pass

door = HTTPServer(("127.0.0.1", 0), Door)
threading.Thread(target=door.serve_forever, daemon=True).start()
notify = f"http://127.0.0.1:{door.server_port}/notify"

pay = WeChatPay(WeChatPayType.JSAPI, mch_id, read("apiclient_key.pem"), serial, app_id, v3_key, notify,
                public_key=read("pub_key.pem"), public_key_id=public_id)
pay._core._gate_way = base

def told(what, answer, status):
    code, text = answer
    assert code == status, (what, code, text)
    print(f"wechatpayv3 2.0.4: {what}: {code}")
    return json.loads(text) if text else None

number = f"PY{int(time.time())}"
openid = "oSdkTester0000000000000000"
order = told("order", pay.pay(description="小店-草莓", out_trade_no=number, amount={"total": 100, "currency": "CNY"}, payer={"openid": openid}), 200)
assert told("query before it is paid", pay.query(out_trade_no=number), 200)["trade_state"] == "NOTPAY"
told("an order that is not there", pay.query(out_trade_no="NOSUCHORDER"), 404)
requests.post(f"{base}/simulator/pay", json={"prepayId": order["prepay_id"], "way": "well"}, timeout=5).raise_for_status()
paid = told("query after it was paid", pay.query(out_trade_no=number), 200)
assert paid["trade_state"] == "SUCCESS" and paid["amount"]["total"] == 100
for _ in range(50):
    if heard: break
    time.sleep(0.1)
headers, body = heard[0]
event = pay.callback(headers, body.decode())
assert event["event_type"] == "TRANSACTION.SUCCESS" and event["resource"]["out_trade_no"] == number, event
print("wechatpayv3 2.0.4: notice read")
refund = told("refund", pay.refund(out_refund_no=number + "R1", transaction_id=paid["transaction_id"], amount={"refund": 40, "total": 100, "currency": "CNY"}), 200)
assert told("refund query", pay.query_refund(out_refund_no=number + "R1"), 200)["amount"]["refund"] == 40
told("order to be closed", pay.pay(description="x", out_trade_no=number + "C", amount={"total": 1, "currency": "CNY"}, payer={"openid": openid}), 200)
told("close of a number that never was", pay.close("NEVERWAS01"), 204)
day = (datetime.date.today() - datetime.timedelta(days=3)).isoformat()
requests.put(f"{base}/simulator/bills/{day}", data="\ufeff交易时间,商户号\r\n".encode(), timeout=5).raise_for_status()
place = told("bill", pay.trade_bill(day), 200)
file = pay.download_bill(place["download_url"])[1]
plain = gzip.decompress(file) if file[:2] == b"\x1f\x8b" else file
assert hashlib.sha1(plain).hexdigest() == place["hash_value"], "the bill is not what its hash says"
print("wechatpayv3 2.0.4: the bill is what its hash says")
requests.put(f"{base}/simulator/bills/{day}", data=b"", timeout=5).raise_for_status()
