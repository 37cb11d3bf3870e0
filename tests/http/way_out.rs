//! The way out to WeChat: what is too slow, too large or elsewhere is no answer.

use std::time::{Duration, Instant};

use rocket::futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xiaopu::nonce::Nonces;
use xiaopu::wechat::pay::TradeOf;
use xiaopu::wechat::v2::sign::SignType;
use xiaopu::wechat::{Account, GatewayError, Wechat};

use crate::support::{Tls, World, merchant};

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
    // All at once: what is silent is waited for as long as a shop would wait.
    let wrong = [
        ("too large", huge, "ANSWER_TOO_LARGE"),
        ("redirect", head("302 Found", "Location: http://127.0.0.1:1/\r\n"), "HTTP 302"),
        ("error page", head("502 Bad Gateway", ""), "HTTP 502"),
        ("empty", head("200 OK", ""), "MALFORMED_XML"),
        ("silence", Vec::new(), "超时"),
        ("half a page", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<xml>".to_vec(), "超时"),
    ];
    let asked = wrong.map(|(name, answer, words)| async move {
        let url = answering(answer).await;
        let wechat = Wechat::new(&url, None, &url, "").unwrap();
        let start = Instant::now();
        let number = "20261008ABCDEFGHJK01".parse().unwrap();
        let exchange =
            wechat.order_query(&Account::V2(merchant(SignType::Md5)), TradeOf::Number(&number), &Nonces::Random).await;
        match exchange.result {
            Err(GatewayError::Unreachable(why) | GatewayError::Unusable { said: why, .. }) => {
                assert!(why.contains(words), "{name}: {why}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(start.elapsed() < Duration::from_secs(12), "{name} was waited for too long");
        assert!(!exchange.request.contains("<sign>"), "what is kept cannot be replayed");
    });
    join_all(asked).await;
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

/// What nobody trusted has vouched for is not spoken to, and neither is what speaks otherwise; the words say which it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_prove_itself_is_told_from_a_network_that_fails() {
    let (tls, others) = (Tls::new(), Tls::new());
    let w = World::secure(&tls).await;
    let there = w.shop.wechat.pay_url();
    let pem = |tls: &Tls| std::fs::read_to_string(tls.ca_file()).unwrap();
    let plain = there.replace("https:", "http:");
    for (url, roots, words) in [
        (there, pem(&others), "安全连接没有建立，请检查本机时间、系统证书和中间的代理"),
        (&plain, String::new(), "请核对接口地址是 http 还是 https"),
    ] {
        let wechat = Wechat::new(url, None, url, &roots).unwrap();
        let number = "20261008ABCDEFGHJK01".parse().unwrap();
        let account = Account::V2(merchant(SignType::Md5));
        match wechat.order_query(&account, TradeOf::Number(&number), &Nonces::Random).await.result {
            Err(GatewayError::Unreachable(why)) => assert!(why.contains(words), "{url}: {why}"),
            other => panic!("{url}: {other:?}"),
        }
    }
    for none in ["no certificate", &tls.merchant.1] {
        assert!(Wechat::new(there, None, there, none).is_err(), "the system's would be trusted instead");
    }
}
