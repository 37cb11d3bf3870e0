"""wechatpy against the simulated WeChat: order, query, notice, refund and its notice, close, bill. Prints a line each."""
import sys, threading, time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests
from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

base, folder, key, mch_id, app_id = sys.argv[1:]
heard = {"/pay": [], "/refund": []}

class Door(BaseHTTPRequestHandler):
    def do_POST(self):
        heard[self.path].append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        answer = b"<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass

door = HTTPServer(("127.0.0.1", 0), Door)
threading.Thread(target=door.serve_forever, daemon=True).start()
notify = f"http://127.0.0.1:{door.server_port}"

WeChatPay.API_BASE_URL = f"{base}/"
pay = WeChatPay(app_id, key, mch_id, mch_cert=f"{folder}/apiclient_cert.pem", mch_key=f"{folder}/apiclient_key.pem", timeout=10)
bare = WeChatPay(app_id, key, mch_id, timeout=10)
say = lambda what, word: print(f"wechatpy 1.8.18: {what}: {word}")

def notice(path):
    for _ in range(100):
        if heard[path]:
            return heard[path][0]
        time.sleep(0.1)
    sys.exit(f"no notice at {path}")

number, openid = f"PY{int(time.time())}", "oSdkTester0000000000000000"
order = lambda no, fen: pay.order.create("JSAPI", "小店-草莓", fen, f"{notify}/pay", client_ip="127.0.0.1", user_id=openid, out_trade_no=no)
placed = order(number, 100)
say("order", placed["result_code"])
say("query", pay.order.query(out_trade_no=number)["trade_state"])
try:
    pay.order.query(out_trade_no="NOSUCHORDER")
    sys.exit("found what is not there")
except WeChatPayException as e:
    say("an order that is not there", e.errcode)
requests.post(f"{base}/simulator/pay", json={"prepayId": placed["prepay_id"], "way": "well"}, timeout=5).raise_for_status()
told = pay.parse_payment_result(notice("/pay"))
assert (told["out_trade_no"], told["total_fee"]) == (number, 100), told
say("notice read", told["result_code"])
paid = pay.order.query(out_trade_no=number)
assert pay.check_signature(dict(paid)) and paid["trade_state"] == "SUCCESS", paid
say("query after it was paid", paid["trade_state"])
asked = dict(total_fee=100, refund_fee=40, out_refund_no=f"{number}R1", transaction_id=paid["transaction_id"], notify_url=f"{notify}/refund")
try:
    bare.refund.apply(**asked)
    sys.exit("refunded without the certificate")
except WeChatPayException as e:
    say("refund without the certificate", e.return_code)
say("refund", pay.refund.apply(**asked)["result_code"])
say("refund query", pay.refund.query(out_refund_no=f"{number}R1")["refund_status_0"])
say("refund notice read", pay.parse_refund_notify_result(notice("/refund"))["refund_status"])
order(f"{number}C", 1)
say("close", pay.order.close(f"{number}C")["result_code"])
say("query after it was closed", pay.order.query(out_trade_no=f"{number}C")["trade_state"])
day = datetime.now(timezone(timedelta(hours=8))).strftime("%Y%m%d")
for kind, columns in [("ALL", 27), ("SUCCESS", 20), ("REFUND", 29)]:
    lines = pay.tools.download_bill(day, kind).strip("\ufeff\r\n").split("\r\n")
    assert len(lines[0].split(",")) == columns == len(lines[1][1:].split(",`")), (kind, lines)
    assert any(number in line for line in lines), lines
    say(f"bill {kind}", f"{len(lines) - 3} rows of {columns} columns")
try:
    pay.tools.download_bill("20200101")
except WeChatPayException as e:
    say("a bill that is not there", e.return_msg)
