"""Another WeChat Pay, API v2, written from the vendor's pages and from nothing in this repository.

It knows merchants by their key, keeps its books in memory, and complains (`wrong`) of every request that the real one
would not have been sent: what is signed badly, orders a number twice and differently, or asks for more money back than
was paid."""

import base64
import hashlib
import hmac
import json
import random
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as tree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def sign(fields, key, how="MD5"):
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name] != "" and name != "sign")
    text = f"{text}&key={key}".encode()
    if how == "HMAC-SHA256":
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest().upper()
    return hashlib.md5(text).hexdigest().upper()


def read(body):
    root = tree.fromstring(body)
    fields = {}
    for child in root:
        if child.tag in fields or len(child):
            raise ValueError(f"<{child.tag}> twice or nested")
        fields[child.tag] = child.text or ""
    return fields


def write(fields):
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return f"<xml>{inner}</xml>".encode()


def stamp(form="%Y%m%d%H%M%S"):
    return time.strftime(form, time.gmtime(time.time() + 8 * 3600))


class WeChat:
    def __init__(self, app_id, mch_id, key, seed):
        self.app_id, self.mch_id, self.key = app_id, mch_id, key
        self.dice, self.turn = random.Random(seed), threading.RLock()
        self.trades, self.refunds, self.codes = {}, {}, {}
        self.wrong, self.count = [], 0
        # Chances of an answer that is lost, an error page, a bad signature, and of a slow one.
        self.weather = (0.0, 0.0, 0.0, 0.0)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.at = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    # What a phone does.

    def code(self, openid):
        with self.turn:
            self.count += 1
            code = f"code-{self.count}"
            self.codes[code] = openid
            return code

    def pay(self, prepay_id, told):
        """Pays; `told` is what becomes of the notice: well, lost, twice, forged. False when it cannot be paid."""
        with self.turn:
            trade = next((t for t in self.trades.values() if t["prepay_id"] == prepay_id), None)
            if trade is None or trade["state"] != "NOTPAY" or stamp() > trade["time_expire"]:
                return False
            self.count += 1
            trade.update(state="SUCCESS", time_end=stamp(), transaction_id=f"42000{stamp('%Y%m%d')}{self.count:012d}")
        if told != "lost":
            threading.Thread(target=self.notify, args=(trade, told), daemon=True).start()
        return True

    def facts(self, trade):
        return {
            "appid": self.app_id, "mch_id": self.mch_id, "nonce_str": self.nonce(), "result_code": "SUCCESS",
            "openid": trade["openid"], "is_subscribe": "N", "trade_type": "JSAPI", "bank_type": "CMB_DEBIT",
            "total_fee": str(trade["total"]), "fee_type": "CNY", "cash_fee": str(trade["total"]),
            "transaction_id": trade["transaction_id"], "out_trade_no": trade["number"], "time_end": trade["time_end"],
        }

    def notify(self, trade, told):
        fields = {"return_code": "SUCCESS", **self.facts(trade)}
        if told == "forged":
            forged = {**fields, "total_fee": str(trade["total"] + 1)}
            self.send(trade["notify_url"], write({**forged, "sign": sign(fields, self.key, trade["how"])}), True)
        fields["sign"] = sign(fields, self.key, trade["how"])
        times = 0
        for pause in (0, 0.5, 2, 5, 15):
            time.sleep(pause)
            if self.send(trade["notify_url"], write(fields)):
                times += 1
                trade["acknowledged"] = True
                if told != "twice" or times > 1:
                    return

    def send(self, url, body, forged=False):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5) as answer:
                thanked = read(answer.read()).get("return_code") == "SUCCESS"
        except (OSError, ValueError, tree.ParseError):
            return False
        if forged and thanked:
            self.wrong.append("a forged notice was thanked for")
        return thanked

    def nonce(self):
        return f"{self.dice.getrandbits(96):024x}"

    # What a merchant asks.

    def unifiedorder(self, asked):
        number, old = asked["out_trade_no"], self.trades.get(asked["out_trade_no"])
        if old:
            if old["state"] != "NOTPAY":
                return "ORDERPAID" if old["state"] != "CLOSED" else "ORDERCLOSED"
            if old["asked"] != {k: v for k, v in asked.items() if k not in ("nonce_str", "sign")}:
                self.wrong.append(f"{number} was ordered twice, and differently")
                return "INVALID_REQUEST"
            return {"trade_type": "JSAPI", "prepay_id": old["prepay_id"]}
        if asked["trade_type"] != "JSAPI" or int(asked["total_fee"]) < 1 or asked["time_expire"] <= stamp():
            self.wrong.append(f"{number}: {asked}")
            return "PARAM_ERROR"
        self.count += 1
        self.trades[number] = {
            "number": number, "state": "NOTPAY", "total": int(asked["total_fee"]), "openid": asked["openid"],
            "prepay_id": f"wx{stamp()}{self.count:08d}", "born": time.time(), "notify_url": asked["notify_url"],
            "time_expire": asked["time_expire"], "how": asked.get("sign_type", "MD5"), "transaction_id": None,
            "asked": {k: v for k, v in asked.items() if k not in ("nonce_str", "sign")}, "acknowledged": False,
        }
        return {"trade_type": "JSAPI", "prepay_id": self.trades[number]["prepay_id"]}

    def trade_of(self, asked):
        if asked.get("transaction_id"):
            return next((t for t in self.trades.values() if t["transaction_id"] == asked["transaction_id"]), None)
        return self.trades.get(asked.get("out_trade_no"))

    def orderquery(self, asked):
        trade = self.trade_of(asked)
        if trade is None:
            return "ORDERNOTEXIST"
        if trade["state"] in ("NOTPAY", "CLOSED"):
            return {"out_trade_no": trade["number"], "trade_state": trade["state"], "trade_state_desc": "-"}
        return {**self.facts(trade), "trade_state": trade["state"], "trade_state_desc": "-"}

    def closeorder(self, asked):
        trade = self.trades.get(asked["out_trade_no"])
        if trade and trade["state"] not in ("NOTPAY", "CLOSED"):
            return "ORDERPAID"
        if trade:
            if time.time() - trade["born"] < 300:
                return "TRADE_STATE_ERROR"
            trade["state"] = "CLOSED"
        return {}

    def refund(self, asked):
        trade, number, fen = self.trade_of(asked), asked["out_refund_no"], int(asked["refund_fee"])
        if trade is None or trade["state"] not in ("SUCCESS", "REFUND"):
            self.wrong.append(f"{number}: a refund of what was not paid")
            return "TRADE_STATE_ERROR"
        if number not in self.refunds:
            gone = sum(r["fen"] for r in self.refunds.values() if r["trade"] is trade)
            if int(asked["total_fee"]) != trade["total"] or fen < 1 or gone + fen > trade["total"]:
                self.wrong.append(f"{number}: {fen} of {trade['total']}, {gone} are gone")
                return "INVALID_REQUEST"
            self.count += 1
            self.refunds[number] = {"number": number, "trade": trade, "fen": fen, "at": time.time(),
                                    "id": f"50300{stamp('%Y%m%d')}{self.count:012d}", "takes": self.dice.uniform(0, 4),
                                    "told": False, "notify_url": asked.get("notify_url"), "since": stamp("%Y-%m-%d %H:%M:%S")}
            trade["state"] = "REFUND"
        refund = self.refunds[number]
        if refund["fen"] != fen or refund["trade"] is not trade:
            self.wrong.append(f"{number} was asked for twice, and differently")
            return "INVALID_REQUEST"
        return {"transaction_id": trade["transaction_id"], "out_trade_no": trade["number"], "out_refund_no": number,
                "refund_id": refund["id"], "refund_fee": str(fen), "total_fee": str(trade["total"]),
                "cash_fee": str(trade["total"])}

    def state_of(self, refund):
        return "SUCCESS" if time.time() - refund["at"] >= refund["takes"] else "PROCESSING"

    def refundquery(self, asked):
        def wanted(refund):
            return (refund["id"] == asked["refund_id"] if asked.get("refund_id")
                    else refund["number"] == asked["out_refund_no"] if asked.get("out_refund_no")
                    else refund["trade"] is self.trade_of(asked))
        found = [refund for refund in self.refunds.values() if wanted(refund)]
        if not found:
            return "REFUNDNOTEXIST"
        trade, start = found[0]["trade"], int(asked.get("offset") or 0)
        page = found[start:start + 10]
        fields = {"transaction_id": trade["transaction_id"], "out_trade_no": trade["number"],
                  "total_fee": str(trade["total"]), "cash_fee": str(trade["total"]), "refund_count": str(len(page))}
        if len(found) > 10:
            fields["total_refund_count"] = str(len(found))
        for n, refund in enumerate(page):
            fields.update({f"out_refund_no_{n}": refund["number"], f"refund_id_{n}": refund["id"],
                           f"refund_fee_{n}": str(refund["fen"]), f"refund_status_{n}": self.state_of(refund),
                           f"refund_recv_accout_{n}": "支付用户零钱"})
            if self.state_of(refund) == "SUCCESS":
                fields[f"refund_success_time_{n}"] = stamp("%Y-%m-%d %H:%M:%S")
        return fields

    def tell_refunds(self):
        """Tells of the refunds that have come through: sealed and unsigned, as the real one does."""
        for refund in list(self.refunds.values()):
            if refund["told"] or not refund["notify_url"] or self.state_of(refund) != "SUCCESS":
                continue
            refund["told"] = True
            root = "".join(f"<{k}>{v}</{k}>" for k, v in {
                "out_refund_no": refund["number"], "refund_id": refund["id"], "refund_status": "SUCCESS",
                "out_trade_no": refund["trade"]["number"], "transaction_id": refund["trade"]["transaction_id"],
                "refund_fee": refund["fen"], "settlement_refund_fee": refund["fen"], "total_fee": refund["trade"]["total"],
            }.items())
            key = hashlib.md5(self.key.encode()).hexdigest().encode().hex()
            sealed = subprocess.run(["openssl", "enc", "-aes-256-ecb", "-K", key], input=f"<root>{root}</root>".encode(),
                                    capture_output=True, check=True).stdout
            self.send(refund["notify_url"], write({"return_code": "SUCCESS", "appid": self.app_id, "mch_id": self.mch_id,
                                                   "nonce_str": self.nonce(), "req_info": base64.b64encode(sealed).decode()}))

    # The door.

    def answer(self, path, body):
        name = path.rsplit("/", 1)[1]
        if name == "downloadbill":
            return write({"return_code": "FAIL", "return_msg": "No Bill Exist", "error_code": "20002"})
        asked = read(body)
        how = asked.get("sign_type", "MD5")
        if asked.get("appid") != self.app_id or asked.get("mch_id") != self.mch_id:
            self.wrong.append(f"{path}: another merchant")
        if asked.get("sign") != sign(asked, self.key, how):
            self.wrong.append(f"{path}: a bad signature")
            return write({"return_code": "FAIL", "return_msg": "签名错误"})
        with self.turn:
            done = getattr(self, name)(asked)
        fields = {"return_code": "SUCCESS", "return_msg": "OK", "appid": self.app_id, "mch_id": self.mch_id,
                  "nonce_str": self.nonce()}
        if isinstance(done, str):
            fields.update(result_code="FAIL", err_code=done, err_code_des=done)
        else:
            fields = {**done, **fields, "result_code": "SUCCESS"}
        fields["sign"] = sign(fields, self.key, how)
        return write(fields)

    def handler(wechat):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    # Who asked was killed.
                    self.close_connection = True
                except Exception as e:
                    wechat.wrong.append(f"{self.path}: {e!r}")
                    self.close_connection = True

            def say(self, body, status=200):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(self.path).query))
                openid = wechat.codes.pop(query.get("js_code"), None)
                done = {"openid": openid, "session_key": "c2Vzc2lvbg=="} if openid else {"errcode": 40029, "errmsg": "code"}
                self.say(json.dumps(done).encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path = urllib.parse.urlparse(self.path).path
                if not path.startswith(("/pay/", "/secapi/")):
                    return self.say(json.dumps({"errcode": 0, "errmsg": "ok", "access_token": "token", "expires_in": 7200,
                                                "is_trade_managed": False}).encode())
                lost, error, forged, slow = wechat.weather
                luck = wechat.dice.random()
                if luck < slow:
                    time.sleep(wechat.dice.uniform(0.2, 6))
                answer = wechat.answer(path, body)
                luck = wechat.dice.random()
                if luck < lost:
                    self.close_connection = True
                elif luck < lost + error:
                    self.say(b"<html>bad gateway</html>", 502)
                elif luck < lost + error + forged:
                    self.say(answer.replace(b"<sign><![CDATA[", b"<sign><![CDATA[0"))
                else:
                    self.say(answer)

        return Handler
