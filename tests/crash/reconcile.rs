//! A day's bill from the command line, whatever WeChat answers.

use xiaopu::clock::{Clock, DAY, Day};
use xiaopu::simulator::Fault;

use super::{Program, simulated, text, write};
use crate::http::v3::keys;

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_answers_to_a_bill_by_hand_is_said_and_marked_for_what_it_is() {
    let (simulator, wechat) = simulated().await;
    simulator.with_v3(&keys()).unwrap();
    let program = Program::new(wechat);
    program.speaks("v3", &keys());
    let table = write(program.folder.path(), "goods.csv", "商品名称,售价(元),库存\n苹果,10,100\n");
    assert!(program.run(&["import", &table]).status.success());
    let day = Day::of(Clock::System.now() - 3 * DAY).shown();
    let creating = || Fault::refused("STATEMENT_CREATING", "账单生成中");
    for (faults, fine, said) in [
        (vec![creating()], false, "账单未出（微信正在生成账单"),
        (vec![Fault::SignTest; 2], false, "店铺开着会自己再试"),
        // WeChat tried out whether we verify: asked once more, it answers.
        (vec![Fault::SignTest], true, "✓ 无交易"),
        (vec![creating()], false, "请稍后再试。之前对过的结果还在：无交易"),
        (vec![Fault::Http500], false, "请稍后再试。之前对过的结果还在：无交易"),
        (vec![], true, "✓ 无交易"),
    ] {
        faults.iter().for_each(|fault| simulator.fault("downloadbill", fault.clone()));
        let ran = program.run(&["reconcile", &day]);
        let words = text(&ran);
        assert_eq!((ran.status.success(), words.contains('✓')), (fine, fine), "{faults:?}: {words}");
        assert!(words.contains(said), "{faults:?}: {words}");
        // A shop that is open asks again by itself: that is a job, and not only a word.
        let books = rusqlite::Connection::open(program.data().join("xiaopu.db")).unwrap();
        let waits = "select count(*) from jobs where kind = 'bill' and state = 'waiting'";
        let waiting: i64 = books.query_row(waits, [], |row| row.get(0)).unwrap();
        assert!(fine || waiting == 1, "{faults:?}: {waiting}");
    }
}
