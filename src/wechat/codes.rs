//! Mini-program codes. Source: getUnlimitedQRCode.

use serde_json::{Value, json};

use super::mini_program::{MiniProgram, read};
use super::{Exchange, GatewayError, Wechat};

/// Pixels. WeChat makes 280 to 1280.
const WIDTH: u32 = 430;

impl Wechat {
    /// The picture of a code that opens `page` of the published mini-program and tells it `scene`. A refusal comes as JSON
    /// with status 200, where the picture would be.
    pub async fn product_code(&self, app: &MiniProgram, scene: &str, page: &str) -> Exchange<Vec<u8>> {
        let body: Value = json!({
            "scene": scene, "page": page, "check_path": true, "env_version": "release", "width": WIDTH,
        });
        let exchange = self.ask_api_for(app, ("wxacode", "/wxa/getwxacodeunlimit"), &body, read_picture).await;
        match &exchange.result {
            Ok(picture) => {
                Exchange { response: format!("（图片，{} 字节）", picture.len()).into_bytes(), ..exchange }
            }
            Err(_) => exchange,
        }
    }
}

fn read_picture(bytes: &[u8]) -> Result<Vec<u8>, GatewayError> {
    if bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(bytes.to_vec());
    }
    read(bytes).and_then(|_| Err(GatewayError::Unreachable("回答不是图片".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_a_picture() {
        assert_eq!(read_picture(b"\xff\xd8\xff\xe0rest").unwrap().len(), 8);
        let refused = read_picture(br#"{"errcode":41030,"errmsg":"invalid page rid: 1"}"#).unwrap_err();
        assert_eq!(refused.code(), Some("41030"));
        for strange in [&b"{\"errcode\":0}"[..], b"<html>", b"", b"GIF89a"] {
            assert!(matches!(read_picture(strange), Err(GatewayError::Unreachable(_))), "{strange:?}");
        }
    }
}
