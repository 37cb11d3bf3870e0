#!/usr/bin/env python3
"""A walk from outside: buyers, staff and a WeChat that is not ours, against the real program, over HTTP alone.

    python3 tests/outside/walk.py [--steps 2000] [--seed 1] [--program target/debug/xiaopu]

People buy, pay (told, not told, told twice, told wrong), cancel, ask for their money, ship, change prices and give back,
in whole and in part; WeChat loses answers; the program is killed. In the end both sides' books are equal to the fen, order
by order and in sum. Needs Python 3 and openssl, nothing else; takes a second a step or less."""

import argparse
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(__file__))
from wechat import WeChat  # noqa: E402

KEY, APP_ID, MCH_ID = "0123456789abcdefghijABCDEFGHIJ42", "wx0123456789abcdef", "1900000042"
PASSWORD = "packing-table-7"
ADDRESS = {"receiver": "王小样", "phone": "13800001234", "province": "浙江省", "city": "杭州市", "district": "西湖区",
           "detail": "演示路 1 号", "postcode": "310000"}


class Gone(Exception):
    """No answer: the program was killed, or is on its way."""


class Shop:
    def __init__(self, program, wechat):
        self.program, self.folder, self.process = os.path.abspath(program), tempfile.mkdtemp(prefix="walk-"), None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = {
            **os.environ, "ROCKET_PORT": str(self.port),
            "ROCKET_SHOP": f'{{data_dir="data",public_url="http://127.0.0.1:{self.port}",unpaid_orders=100000}}',
            "ROCKET_WECHAT": f'{{app_id="{APP_ID}",app_secret="{"0" * 32}",mch_id={MCH_ID},api_key="{KEY}",'
                             f'pay_url="{wechat.at}",api_url="{wechat.at}"}}',
        }

    def run(self, *arguments, text=""):
        done = subprocess.run([self.program, *arguments], cwd=self.folder, env=self.environment, input=text, text=True,
                              capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self):
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen([self.program, "serve"], cwd=self.folder, env=self.environment, stdin=quiet,
                                        stdout=quiet, stderr=open(os.path.join(self.folder, "log"), "a"))
        for _ in range(600):
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except Gone:
                pass
            time.sleep(0.05)
        raise SystemExit("the shop did not open")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method, path, body=None, headers=None, form=None):
        headers = dict(headers or {})
        if form is not None:
            body, headers["Content-Type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
        elif body is not None:
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            connection.request(method, path, body.encode() if body else body, headers)
            answer = connection.getresponse()
            said = answer.read().decode()
            connection.close()
        except (OSError, http.client.HTTPException) as e:
            raise Gone(str(e)) from e
        return answer.status, said, answer.headers


class Walk:
    def __init__(self, steps, seed, program):
        self.steps, self.dice, self.wechat = steps, random.Random(seed), WeChat(APP_ID, MCH_ID, KEY, seed)
        self.shop, self.orders, self.tokens, self.did = Shop(program, self.wechat), {}, {}, {}
        self.cookie, self.keys, self.parcels = None, 0, 0

    def begin(self):
        with open(os.path.join(self.shop.folder, "goods.csv"), "w") as table:
            table.write("商品名称,售价(元),库存\n苹果,10.01,100000\n梨,8.37,100000\n桃,0.03,100000\n")
        self.shop.run("import", "goods.csv")
        self.shop.run("staff", "add", "owner", "--role", "owner", "--password-stdin", text=PASSWORD + "\n")
        self.shop.start()
        _, _, headers = self.shop.ask("POST", "/admin/login", form={"account": "owner", "password": PASSWORD})
        self.cookie = next(c.split(";")[0] for c in headers.get_all("Set-Cookie") if c.startswith("xiaopu_session="))
        for buyer in ("an", "bo", "cai", "dan"):
            _, said, _ = self.shop.ask("POST", "/api/v1/login", {"code": self.wechat.code("openid-" + buyer)})
            self.tokens[buyer] = json.loads(said)["token"]

    def api(self, buyer, method, path, body=None, key=None):
        headers = {"Authorization": f"Bearer {self.tokens[buyer]}"}
        if key:
            headers["Idempotency-Key"] = key
        status, said, _ = self.shop.ask(method, "/api/v1" + path, body, headers)
        assert status < 500 or status in (502, 503), (status, said)
        return status, json.loads(said) if said else {}

    def console(self, path, form):
        status, said, _ = self.shop.ask("POST", "/admin" + path, form=form, headers={"Cookie": self.cookie})
        assert status < 500, (path, status, said[:500])

    def pick(self, *states):
        known = [no for no, order in self.orders.items() if not states or order["status"] in states]
        return self.dice.choice(known) if known else None

    def look(self, no):
        order = self.orders[no]
        _, now = self.api(order["buyer"], "GET", f"/orders/{no}")
        order.update(status=now["status"], paid=now["paidFen"], refunded=now["refundedFen"], total=now["totalFen"])
        return now

    # What people do.

    def buy(self):
        buyer, self.keys = self.dice.choice(list(self.tokens)), self.keys + 1
        goods = [{"skuId": str(sku), "quantity": self.dice.randint(1, 3)} for sku in self.dice.sample((1, 2, 3), self.dice.randint(1, 2))]
        for _ in range(4):
            # Whoever hears nothing asks again with the same key.
            try:
                status, said = self.api(buyer, "POST", "/prepay", {"items": goods, "address": ADDRESS}, f"walk-key-{self.keys:06d}")
            except Gone:
                self.rise()
                continue
            if status == 201:
                prepay = said["payment"]["package"].removeprefix("prepay_id=")
                self.orders[said["order"]["orderNo"]] = {"buyer": buyer, "status": "pending_payment", "prepays": [prepay]}
                return
            no = said["error"].get("details", {}).get("orderNo")
            if no:
                self.orders.setdefault(no, {"buyer": buyer, "status": "pending_payment", "prepays": []})

    def pay(self):
        no = self.pick("pending_payment")
        if not no:
            return
        order = self.orders[no]
        if self.dice.random() < 0.4 or not order["prepays"]:
            status, said = self.api(order["buyer"], "POST", f"/orders/{no}/prepay")
            if status in (200, 201) and "payment" in said:
                order["prepays"].append(said["payment"]["package"].removeprefix("prepay_id="))
        if order["prepays"]:
            self.wechat.pay(self.dice.choice(order["prepays"]), self.dice.choice(("well", "well", "lost", "twice", "forged")))
        self.look(no)

    def cancel(self):
        no = self.pick("pending_payment")
        if no:
            self.api(self.orders[no]["buyer"], "POST", f"/orders/{no}/cancel")
            self.look(no)

    def reprice(self):
        no = self.pick("pending_payment")
        if no:
            self.console(f"/orders/{no}/price", {"total": f"{self.dice.randint(1, 900) / 100:.2f}", "freight": "0", "reason": "老客优惠"})
            self.look(no)

    def ship(self):
        no, self.parcels = self.pick("to_ship"), self.parcels + 1
        if no:
            self.console(f"/orders/{no}/ship", {"tracking_no": f"SF{self.parcels:013d}"})
            self.look(no)

    def ask_back(self):
        no = self.pick("to_ship", "shipped")
        if not no:
            return
        now, self.keys = self.look(no), self.keys + 1
        body = {"reason": "不想要了"}
        if self.dice.random() < 0.5:
            line = self.dice.choice(now["lines"])
            body["lines"] = [{"lineId": line["id"], "quantity": 1}]
        self.api(self.orders[no]["buyer"], "POST", f"/orders/{no}/refunds", body, f"walk-back-{self.keys:06d}")

    def give_back(self):
        no = self.pick("to_ship", "shipped", "completed")
        if no:
            form = {"whole": "true", "reason": "协商一致退款", "confirmed": "true"}
            if self.dice.random() < 0.5:
                line = self.dice.choice(self.look(no)["lines"])
                form = {"lines[0].id": line["id"], "lines[0].quantity": "1", "lines[0].amount": "0.01", "reason": "协商一致退款",
                        "confirmed": "true"}
            self.console(f"/orders/{no}/refund", form)

    def decide(self):
        no = self.pick("to_ship", "shipped", "completed")
        if no:
            for refund in self.look(no).get("refunds", []):
                if refund["state"] == "requested":
                    way = self.dice.choice(("approve", "approve", "reject"))
                    form = {"whole": "true", "reason": "同意", "confirmed": "true"} if way == "approve" else {"words": "已经发出了"}
                    self.console(f"/refunds/{refund['refundNo']}/{way}", form)

    def stray(self):
        """Money that fits no order goes back."""
        _, page, _ = self.shop.ask("GET", "/admin/exceptions", headers={"Cookie": self.cookie})
        for number in re.findall(r"/admin/exceptions/(\d+)/refund\"", page)[:2]:
            self.console(f"/exceptions/{number}/refund", {"confirmed": "true"})

    def weather(self):
        self.wechat.weather = self.dice.choice(((0, 0, 0, 0), (0.2, 0.1, 0.1, 0), (0.05, 0.3, 0, 0.1), (0, 0, 0, 0.3)))

    def killed(self):
        self.shop.kill()
        self.shop.start()

    def rise(self):
        if self.shop.process.poll() is not None:
            self.shop.start()

    def go(self):
        acts = {self.buy: 30, self.pay: 30, self.cancel: 4, self.reprice: 5, self.ship: 10, self.ask_back: 6,
                self.give_back: 6, self.decide: 6, self.stray: 2, self.weather: 3, self.wechat.tell_refunds: 4, self.killed: 1.5}
        for _ in range(self.steps):
            act = self.dice.choices(list(acts), list(acts.values()))[0]
            self.did[act.__name__] = self.did.get(act.__name__, 0) + 1
            try:
                act()
            except Gone:
                self.rise()

    # The books.

    def differences(self):
        """Where the two sides are not equal; each is told."""
        found = []
        paid = [trade for trade in self.wechat.trades.values() if trade["transaction_id"]]
        for no in self.orders:
            self.look(no)
        for no, order in self.orders.items():
            here = [trade for trade in paid if trade["number"].startswith(no)]
            back = sum(r["fen"] for r in self.wechat.refunds.values() if r["trade"] in here)
            # One that came too late for its order is stray money, and in the sums below.
            if len(here) == 1 and (order.get("paid", 0), order.get("refunded", 0)) not in ((here[0]["total"], back), (0, 0)):
                found.append(f"{no}: paid {order['paid']}, back {order['refunded']}; WeChat: {here[0]['total']}, {back}")
            if not here and order.get("paid"):
                found.append(f"{no}: {order['paid']} fen that WeChat knows nothing of")
        # Everything together, with what belongs to no order: the shop's own sums of the days.
        there = (len(paid), sum(t["total"] for t in paid), len(self.wechat.refunds), sum(r["fen"] for r in self.wechat.refunds.values()))
        sums = [0, 0, 0, 0]
        for back in (1, 0):
            day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600 - back * 86400))
            _, page, _ = self.shop.ask("GET", f"/admin/money/{day}", headers={"Cookie": self.cookie})
            row = page.split("本店流水")[1].split("</tr>")[0]
            for n, (count, yuan) in enumerate(re.findall(r"(\d+) 笔 ¥([\d,.]+)", row)[:2]):
                sums[2 * n] += int(count)
                sums[2 * n + 1] += round(float(yuan.replace(",", "")) * 100)
        if tuple(sums) != there:
            found.append(f"payments and refunds, number and fen: {tuple(sums)}; WeChat: {there}")
        return found

    def settle(self):
        """The weather clears; whatever is on its way arrives, within ten minutes."""
        self.wechat.weather, begun, found = (0, 0, 0, 0), time.time(), ["not looked yet"]
        while found and not self.wechat.wrong and time.time() - begun < 600:
            time.sleep(3)
            self.wechat.tell_refunds()
            found = self.differences()
        assert not found and not self.wechat.wrong, "\n".join(found + self.wechat.wrong)
        doctor = subprocess.run([self.shop.program, "doctor"], cwd=self.shop.folder, env=self.shop.environment, text=True,
                                capture_output=True).stdout
        assert "✓ 资金与库存" in doctor, doctor
        paid = [trade for trade in self.wechat.trades.values() if trade["transaction_id"]]
        gone = sum(refund["fen"] for refund in self.wechat.refunds.values())
        print(f"{self.steps} steps: {len(self.orders)} orders, {len(paid)} payments of {sum(t['total'] for t in paid)} fen, "
              f"{len(self.wechat.refunds)} refunds of {gone} fen, {self.did.get('killed', 0)} kills: equal on both sides")
        print(", ".join(f"{name} {count}" for name, count in sorted(self.did.items())))


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--steps", type=int, default=2000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--program", default="target/debug/xiaopu")
    asked = asked.parse_args()
    walk = Walk(asked.steps, asked.seed, asked.program)
    print(f"seed {asked.seed}, in {walk.shop.folder}")
    try:
        walk.begin()
        walk.go()
        walk.settle()
    finally:
        if walk.shop.process and walk.shop.process.poll() is None:
            walk.shop.kill()


if __name__ == "__main__":
    main()
