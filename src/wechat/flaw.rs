//! What can be wrong with a message of WeChat's: a constant word for answers and searches, and what it means to the staff.

use super::v2::message::NotAMessage;
use super::v2::sign::BadSign;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// Why an answer cannot be used, or a notice is not taken in.
    pub enum Flaw {
        AnswerTooLarge "ANSWER_TOO_LARGE" "回答太长，没有读完",
        NotJson "NOT_JSON" "内容不是 JSON",
        BadField "BAD_FIELD" "缺少这一项，或它的值不合规矩",
        OtherMerchant "OTHER_MERCHANT" "说的是别的商户号或 AppID",
        OtherOrder "OTHER_ORDER" "说的是另一笔支付单",
        OtherVersion "OTHER_VERSION" "支付单是用 API v3 下的，API v2 的通知不算数",
        OtherRefund "OTHER_REFUND" "说的是另一笔退款",
        PrepayIdMissing "PREPAY_ID_MISSING" "下单成功，却没有给 prepay_id",
        RefundIdMissing "REFUND_ID_MISSING" "受理了退款，却没有给微信退款单号",
        TradeStateMissing "TRADE_STATE_MISSING" "没有说支付单的状态",

        BillNotUtf8 "BILL_NOT_UTF8" "账单不是 UTF-8 文本",
        BillGzipBroken "BILL_GZIP_BROKEN" "账单的压缩包损坏，会再取一次",
        BillTooLarge "BILL_TOO_LARGE" "账单解开后太大",
        BillEmpty "BILL_EMPTY" "账单是空的",
        BillCutOff "BILL_CUT_OFF" "账单不完整，没有最后的合计，会再取一次",
        BillColumnsUnknown "BILL_COLUMNS_UNKNOWN" "账单缺少要用的列，微信可能改了格式：请升级小铺，或在商户平台下载这天的账单核对",
        BillHashWrong "BILL_HASH_WRONG" "账单与微信给的摘要不符，会再取一次",
        FundsNotUtf8 "FUNDS_NOT_UTF8" "资金账单不是 UTF-8 文本",
        FundsEmpty "FUNDS_EMPTY" "资金账单是空的",
        FundsCutOff "FUNDS_CUT_OFF" "资金账单不完整，没有最后的合计，会再取一次",
        FundsColumnsUnknown "FUNDS_COLUMNS_UNKNOWN" "资金账单缺少要用的列，微信可能改了格式：请升级小铺，或在商户平台下载这天的账单核对",
        FundsHashWrong "FUNDS_HASH_WRONG" "资金账单与微信给的摘要不符，会再取一次",
        DownloadUrlMissing "DOWNLOAD_URL_MISSING" "没有给账单的下载地址",
        DownloadUrlElsewhere "DOWNLOAD_URL_ELSEWHERE" "账单的下载地址不在微信支付的主机上，没有去取",
        HashType "HASH_TYPE" "账单的摘要不是 SHA1",
        HashMissing "HASH_MISSING" "没有给账单的摘要",

        ReturnCode "RETURN_CODE" "通信标识不是 SUCCESS",
        ResultCode "RESULT_CODE" "业务结果不是 SUCCESS",
        OwnRequest "OWN_REQUEST" "像是本店自己发出的请求，不是通知",
        PartnerMode "PARTNER_MODE" "是服务商模式的通知，本店不用",
        ReqInfoMissing "REQ_INFO_MISSING" "退款通知里没有加密的内容",
        ReqInfoUnreadable "REQ_INFO_UNREADABLE" "退款通知用 APIv2 密钥打不开，请核对密钥",
        BodyIncomplete "BODY_INCOMPLETE" "消息没有在限定时间里收完",
        NotConfigured "NOT_CONFIGURED" "微信支付还没有设置好，请在设置页填写",

        EventType "EVENT_TYPE" "没有通知类型 event_type",
        Resource "RESOURCE" "没有通知数据 resource",
        Algorithm "ALGORITHM" "加密算法不是 AEAD_AES_256_GCM",
        Ciphertext "CIPHERTEXT" "没有密文，或它不是 Base64",
        NonceMissing "NONCE" "没有加密用的随机串 nonce",
        ResourceNotJson "RESOURCE_NOT_JSON" "打开之后不是 JSON",
        TradeState "TRADE_STATE" "支付状态不是成功",

        MsgSignature "MSG_SIGNATURE" "消息推送的签名不对，请核对 Token",
        AesKey "AES_KEY" "EncodingAESKey 不对，请核对",
        EncryptUnreadable "ENCRYPT_UNREADABLE" "消息推送打不开，请核对 EncodingAESKey 和 AppID",
        NoEncodingAesKey "NO_ENCODING_AES_KEY" "消息推送是加密的，还没有填 EncodingAESKey",
    }
}

/// One of our words with what it means, and with what else stands beside the word; anything else as it is.
pub fn explained(said: &str) -> String {
    let word = said.split(' ').next().unwrap_or_default();
    let text = word.parse().map(Flaw::text);
    let text = text.or_else(|()| word.parse().map(NotAMessage::text)).or_else(|()| word.parse().map(BadSign::text));
    text.map_or_else(|()| said.to_owned(), |text| format!("{said} {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::exchange::{GatewayError, bad_field, http_words, unusable};
    use crate::wechat::v3::sign::BadSeal;

    fn is_chinese(text: &str) -> bool {
        text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count() >= 4
    }

    #[test]
    fn whatever_is_wrong_is_said_in_words() {
        let words = Flaw::ALL.iter().map(|flaw| flaw.word());
        let words = words.chain(NotAMessage::ALL.iter().map(|flaw| flaw.word()));
        for word in words.chain(BadSign::ALL.iter().map(|flaw| flaw.word())) {
            let said = explained(word);
            assert!(said.starts_with(word) && is_chinese(&said), "{said}");
        }
        for flaw in Flaw::ALL {
            let said = unusable(*flaw).to_string();
            assert!(said.contains(flaw.word()) && said.contains(flaw.text()), "{said}");
        }
        let seals = [
            BadSeal::Missing("Wechatpay-Serial"),
            BadSeal::Doubled("Wechatpay-Serial"),
            BadSeal::OtherScheme,
            BadSeal::Certificate("5157F0".into()),
            BadSeal::OtherKey("PUB_KEY_ID_01".into()),
            BadSeal::OtherKey(String::new()),
            BadSeal::Clock(301_000),
            BadSeal::Old { ago: 301_000, ahead: 0 },
            BadSeal::Probe,
            BadSeal::Wrong,
        ];
        for seal in seals {
            assert!(is_chinese(&seal.words()) && is_chinese(&seal.of_reply()), "{seal:?}");
            assert!(!seal.words().contains("  ") && !seal.of_reply().contains("  "), "{seal:?}");
        }
        for status in [301, 302, 400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 599] {
            assert!(is_chinese(&http_words(status)) && http_words(status).contains(&status.to_string()), "{status}");
        }
    }

    #[test]
    fn what_stands_beside_a_word_stays_there() {
        assert_eq!(explained("BAD_FIELD amount.total"), "BAD_FIELD amount.total 缺少这一项，或它的值不合规矩");
        assert_eq!(explained("TRADE_STATE NOTPAY"), "TRADE_STATE NOTPAY 支付状态不是成功");
        assert_eq!(explained("签名不对"), "签名不对");
        let bad = bad_field("refund_fee_0");
        assert!(
            matches!(&bad, GatewayError::Unusable { flaw: Flaw::BadField, said } if said.starts_with("BAD_FIELD refund_fee_0 缺少"))
        );
    }
}
