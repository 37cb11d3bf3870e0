//! A shop whose messages an older program wrote plain: they are packed while it runs, whenever it is killed.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Program, simulated};

const MESSAGES: i64 = 6_000;

fn request(id: i64) -> Vec<u8> {
    let text = format!("<xml><appid><![CDATA[wx]]></appid><nonce_str><![CDATA[{:032x}]]></nonce_str>", id * 7_919);
    [text.repeat((id % 5) as usize).as_bytes(), b"\xff\x00", &id.to_le_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn older_messages_are_packed_however_often_the_shop_is_killed() {
    let (_simulator, wechat) = simulated().await;
    let program = Program::new(wechat);
    drop({
        let running = program.start();
        program.ready().await;
        running
    });
    let database = program.data().join("xiaopu.db");
    let mut conn = Connection::open(&database).unwrap();
    conn.busy_timeout(Duration::from_secs(5)).unwrap();
    let before = conn.transaction().unwrap();
    before.execute("delete from messages", []).unwrap();
    for id in 1..=MESSAGES {
        let sql = "insert into messages (id, at, direction, kind, verdict, reason, checks, request, response)
                   values (?1, ?1, 'in', 'notify', 'ok', '', '[]', ?2, ?3)";
        before.execute(sql, params![id, request(id), id.to_le_bytes()]).unwrap();
    }
    before.execute("insert into unpacked values ('messages', 0, ?1)", [MESSAGES]).unwrap();
    before.commit().unwrap();
    let packed = || -> i64 {
        conn.query_row("select count(*) from messages where packed is not null and id <= ?1", [MESSAGES], |row| {
            row.get(0)
        })
        .unwrap()
    };
    let mut kills = 0;
    while packed() < MESSAGES {
        let (running, had) = (program.start(), packed());
        for _ in 0..6_000 {
            if packed() >= (had + 1_500).min(MESSAGES) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(running);
        assert!(packed() > had, "it goes on");
        kills += 1;
    }
    assert!(kills > 1, "it was killed on the way");
    for id in [1, 2, 777, 1_501, MESSAGES - 1, MESSAGES] {
        let read = program.run(&["log", &id.to_string(), "--raw", "request"]);
        assert!(read.status.success() && read.stdout == request(id), "{id}: {}", super::text(&read));
    }
    let sql = "select inflated(m.packed, d.bytes), m.id from messages m join dictionaries d on d.id = m.dictionary where m.id <= ?1";
    let read = |conn: &Connection| {
        let mut rows = conn.prepare(sql)?;
        rows.query_map([MESSAGES], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<(Vec<u8>, i64)>, _>>()
    };
    let all = xiaopu::db::look_into(&database, read).unwrap();
    assert_eq!(all.len() as i64, MESSAGES);
    for (text, id) in all {
        assert!(text == [b"8 2\n".as_slice(), &id.to_le_bytes(), b"[]", &request(id)].concat(), "{id}");
    }
}
