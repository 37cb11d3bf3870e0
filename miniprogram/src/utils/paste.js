// A pasted address, read: “陈建国 13900000002 江苏省苏州市姑苏区平江路66号”.
const regions = require("./regions");

const NAMES = "收货人|收件人|联系人|姓名|手机号码|手机号|联系电话|手机|电话|所在地区|地区|省市区|详细地址|收货地址|街道地址|地址";
const LABELS = new RegExp(`(?:${NAMES})\\s*[:：]|(^|\\s)(?:${NAMES})(?=\\s)`, "g");
const DIGITS = "０１２３４５６７８９";

/** Full-width digits and signs as people type them on a Chinese keyboard. */
const plain = (text) => text.replace(/[０-９]/g, (sign) => String(DIGITS.indexOf(sign))).replace(/[\s　,，;；、|/]+/g, " ").trim();

/** A mobile or a fixed number; +86 and spaces inside are taken off. */
function phone(text) {
  const mobile = text.match(/(?:\+?86[ -]?)?(1[3-9]\d[ -]?\d{4}[ -]?\d{4})(?!\d)/);
  if (mobile) return { found: mobile[1].replace(/[ -]/g, ""), rest: text.replace(mobile[0], " ") };
  // Not quite eleven digits: shown as it is, so that its owner sees what is missing.
  const other = text.match(/(?:^|\D)(0\d{2,3}-?\d{7,8}|1[3-9]\d{7,10})(?!\d)/);
  if (other) return { found: other[1], rest: text.replace(other[1], " ") };
  return { found: "", rest: text };
}

/**
 * What could be read; a field that was not found is empty, and nothing is guessed.
 * @param {string} given
 * @returns {{receiver: string, phone: string, region: string[], detail: string}}
 */
function paste(given) {
  const text = plain(given.replace(LABELS, " "));
  const number = phone(text);
  const place = regions.find(number.rest);
  if (!place) {
    const words = number.rest.split(" ").filter(Boolean);
    const receiver = (number.found && words.find((word) => /^[一-龥·]{2,4}$/.test(word))) || "";
    return { receiver, phone: number.found, region: [], detail: words.filter((word) => word !== receiver).join(" ") };
  }
  const before = place.before.split(" ").filter(Boolean);
  const after = place.after.split(" ").filter(Boolean);
  const name = (word) => /^[一-龥·]{2,5}$/.test(word) || /^[A-Za-z][A-Za-z .]{1,24}$/.test(word);
  let receiver = before.find(name) || "";
  if (!receiver && after.length > 1) {
    // Without a name in front, a short last word is one; the first belongs to the street.
    const last = after[after.length - 1];
    if (/^[一-龥·]{2,4}$/.test(last) && !/[路街道号楼室层栋座村镇弄巷园苑区]$/.test(last)) receiver = after.pop() || "";
  }
  const rest = before.filter((word) => word !== receiver);
  return { receiver, phone: number.found, region: place.region, detail: after.concat(rest).join(" ") };
}

module.exports = { paste, phone };
