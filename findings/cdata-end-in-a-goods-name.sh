#!/usr/bin/env bash
# wechatpy 1.8.18 and wechatpay-axios-plugin 0.9.6 write a value that contains "]]>" (any text may, a goods name too) into
# CDATA as it stands. The section ends in the middle: wechatpy's message is not well-formed, and wechatpay-axios-plugin
# itself reads another body than the one it signed. tenpay 2.1.18 cuts the section in two, as XML asks for.
# Exits non-zero if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install -q wechatpy==1.8.18 cryptography==50.0.2
"$folder/python/bin/python" - <<'PY'
import sys, xml.etree.ElementTree as tree
from wechatpy.pay.utils import dict_to_xml
text = dict_to_xml({"body": "a]]>b<"})
try:
    tree.fromstring(text)
    sys.exit("wechatpy: well-formed")
except tree.ParseError as e:
    print(f"wechatpy 1.8.18: {text.splitlines()[1]}: {e}")
PY
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit wechatpay-axios-plugin@0.9.6 tenpay@2.1.18
cat >try.cjs <<'JS'
const { Transformer } = require("wechatpay-axios-plugin");
const { buildXML, parseXML } = require("tenpay/lib/util");
(async () => {
    const sent = { body: "a]]>b<", openid: "o1" };
    const axios = Transformer.toXml(sent);
    const read = Transformer.toObject(axios);
    console.log(`wechatpay-axios-plugin 0.9.6: ${axios} is read as ${JSON.stringify(read)}`);
    const tenpay = (await parseXML(buildXML(sent))).body;
    console.log(`tenpay 2.1.18: read as ${JSON.stringify(tenpay)}`);
    process.exit(read.body !== sent.body && tenpay === sent.body ? 0 : 1);
})();
JS
node try.cjs
