//! The way out to WeChat: what is too slow, too large or elsewhere is no answer.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xiaopu::nonce::Nonces;
use xiaopu::wechat::pay::TradeOf;
use xiaopu::wechat::v2::sign::SignType;
use xiaopu::wechat::{Account, GatewayError, Wechat};

use crate::support::merchant;

/// A server that gives one answer to one call, then is silent with the line open.
async fn answering(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 8192];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(&answer).await;
        tokio::time::sleep(Duration::from_secs(15)).await;
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_one_thing_wrong_is_no_answer() {
    let huge = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 3 * 1024 * 1024]].concat();
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{more}\r\n").into_bytes();
    for (name, answer, words) in [
        ("too large", huge, "ANSWER_TOO_LARGE"),
        ("redirect", head("302 Found", "Location: http://127.0.0.1:1/\r\n"), "HTTP 302"),
        ("error page", head("502 Bad Gateway", ""), "HTTP 502"),
        ("empty", head("200 OK", ""), "MALFORMED_XML"),
        ("silence", Vec::new(), "超时"),
        ("half a page", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<xml>".to_vec(), "超时"),
    ] {
        let url = answering(answer).await;
        let wechat = Wechat::new(&url, None, &url, "").unwrap();
        let start = Instant::now();
        let number = "20261008ABCDEFGHJK01".parse().unwrap();
        let exchange =
            wechat.order_query(&Account::V2(merchant(SignType::Md5)), TradeOf::Number(&number), &Nonces::Random).await;
        match exchange.result {
            Err(GatewayError::Unreachable(why)) => assert!(why.contains(words), "{name}: {why}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(start.elapsed() < Duration::from_secs(12), "{name} was waited for too long");
        assert!(!exchange.request.contains("<sign>"), "what is kept cannot be replayed");
    }
    // Nobody there at all.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{gone}");
    let wechat = Wechat::new(&url, None, &url, "").unwrap();
    let exchange = wechat
        .order_query(
            &Account::V2(merchant(SignType::Md5)),
            TradeOf::Number(&"20261008ABCDEFGHJK01".parse().unwrap()),
            &Nonces::Random,
        )
        .await;
    assert!(matches!(exchange.result, Err(GatewayError::Unreachable(_))));
    for bad in ["http://api.mch.weixin.qq.com", "http://10.0.0.1", "ftp://127.0.0.1", "nonsense"] {
        assert!(Wechat::new(bad, None, "https://api.weixin.qq.com", "").is_err(), "{bad}");
    }
}
