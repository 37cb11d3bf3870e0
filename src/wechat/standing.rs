//! How this shop stands with WeChat Pay: what it said of our own keys, and of whether its answers can be believed. Only the
//! owner can mend either, and until then nobody can pay.

use std::sync::{Mutex, PoisonError};

use super::v3::sign::BadSeal;
use super::{Account, Api, GatewayError};

/// What was said last.
#[derive(Default)]
pub struct Standing {
    /// Why the latest reply of API v3 was not believed; `None` when it was.
    unbelieved: Mutex<Option<BadSeal>>,
    /// Why new payments are refused, with the version and the app that they were asked for in.
    refused: Mutex<Vec<(Api, String, String)>>,
}

impl Standing {
    pub fn note_seal(&self, sealed: &Result<(), BadSeal>) {
        *self.unbelieved.lock().unwrap_or_else(PoisonError::into_inner) = sealed.as_ref().err().cloned();
    }

    pub fn unbelieved(&self) -> Option<BadSeal> {
        self.unbelieved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in what became of a payment that was asked for.
    pub fn note_order<T>(&self, account: &Account, result: &Result<T, GatewayError>) {
        match result {
            Err(e) => {
                if let Some(words) = for_owner(account.api(), e) {
                    self.note_good(account);
                    let said = (account.api(), account.app_id().to_owned(), words);
                    self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(said);
                }
            }
            Ok(_) => self.note_good(account),
        }
    }

    /// WeChat answered this account as it answers one whose keys are right.
    pub fn note_good(&self, account: &Account) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|(api, app_id, _)| (*api, app_id.as_str()) != (account.api(), account.app_id()));
    }

    pub fn refused(&self, api: Api) -> Option<String> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().find(|(of, ..)| *of == api).map(|(.., words)| words.clone())
    }

    /// The settings have changed: what was said of those before counts no more.
    pub fn forget(&self) {
        self.note_seal(&Ok(()));
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What only the owner can mend, in words; `None` for everything else. What is not signed counts too: it moves nothing, and
/// a wrong key of ours is never answered otherwise. Source: error codes, unified order, API v2; JSAPI order, API v3.
pub fn for_owner(api: Api, e: &GatewayError) -> Option<String> {
    const CODES: [&str; 5] = ["SIGNERROR", "NOAUTH", "APPID_NOT_EXIST", "MCHID_NOT_EXIST", "APPID_MCHID_NOT_MATCH"];
    let code = match e {
        GatewayError::Refused { code, .. } => CODES.into_iter().find(|known| known == code),
        GatewayError::NotAccepted(text) if api == Api::V2 && text.contains("签名错误") => Some("SIGNERROR"),
        GatewayError::NotAccepted(text) => {
            text.split(' ').find_map(|word| CODES.into_iter().find(|code| *code == word))
        }
        GatewayError::Unreachable(_) | GatewayError::Certificate(_) => None,
    }?;
    let words = match (code, api) {
        ("SIGNERROR", Api::V2) => "微信说签名错误：APIv2 密钥或签名方式不对。在商户平台 → API 安全里核对",
        ("SIGNERROR", Api::V3) => "微信说签名错误：商户私钥和证书序列号不对应，或商户号不对。请在设置页核对",
        ("NOAUTH", _) => "微信说这个商户号没有支付的权限：请在商户平台 → 产品中心核对 JSAPI 支付是否开通、是否受限",
        ("APPID_NOT_EXIST", _) => "微信说没有这个 AppID，请核对",
        ("MCHID_NOT_EXIST", _) => "微信说没有这个商户号，请核对",
        _ => "AppID 和商户号没有绑定：在商户平台 → 产品中心 → AppID 账号管理里关联",
    };
    Some(words.to_owned())
}
