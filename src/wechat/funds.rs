//! WeChat's fund flow of a day (资金账单): every change of the merchant's balance, a second witness beside the bill.

use std::collections::HashMap;

use super::bill::{Moved, fen, index_of, unpacked, values_of};
use super::certificate::ClientIdentity;
use super::exchange::unusable;
use super::flaw::Flaw;
use super::{Account, Exchange, GatewayError, Wechat};
use crate::clock::Day;
use crate::nonce::Nonces;

/// What WeChat has for a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FundsAnswer {
    Flow(Flow),
    /// Right for a day on which the balance did not change.
    None,
    /// Ask again later.
    Creating,
}

/// A day's changes of the balance, summed by what they were for; in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// How many payments came in, each by itself. With the old flow of funds there are none.
    pub payments: i64,
    pub moved: Moved,
    /// What came back of refunds that did not arrive.
    pub returned: i64,
    /// To the merchant's bank.
    pub withdrawn: i64,
    /// Topped up, refunds paid out once more, and whatever else there is; out is negative.
    pub other: i64,
    /// What left for refunds, one by one: WeChat's number of the refund, and fen.
    pub gone: Vec<(String, i64)>,
    /// The balance before the first row and after the last, if the rows hang together.
    pub balance: Option<(i64, i64)>,
    /// Rows that could not be read, and what does not hang together, in words.
    pub wrong: Vec<String>,
}

impl Wechat {
    /// Downloads a day's fund flow of the basic account. API v2 wants to see our certificate, and HMAC whatever the merchant
    /// signs with otherwise.
    pub async fn download_funds(
        &self,
        account: &Account,
        identity: Option<&ClientIdentity>,
        day: Day,
        nonces: &Nonces,
    ) -> Exchange<FundsAnswer> {
        match account {
            Account::V2(merchant) => self.download_funds_v2(merchant, identity, day, nonces).await,
            Account::V3(merchant) => self.download_funds_v3(merchant, day, nonces).await,
        }
    }
}

/// Reads the file, packed or not.
pub fn read(bytes: &[u8]) -> Result<Flow, GatewayError> {
    let text = String::from_utf8(unpacked(bytes)?).map_err(|_| unusable(Flaw::FundsNotUtf8))?;
    read_rows(text.strip_prefix('\u{feff}').unwrap_or(&text))
}

struct Columns {
    id: Option<usize>,
    name: usize,
    kind: usize,
    way: usize,
    amount: usize,
    balance: usize,
}

impl Columns {
    fn of(header: &str) -> Result<Columns, GatewayError> {
        let need = |names: &[&str]| {
            let found = names.iter().find_map(|name| index_of(header, name));
            found.ok_or_else(|| unusable(Flaw::FundsColumnsUnknown))
        };
        Ok(Columns {
            id: index_of(header, "微信支付业务单号"),
            name: need(&["业务名称"])?,
            kind: need(&["业务类型"])?,
            way: need(&["收支类型"])?,
            amount: need(&["收支金额(元)", "收支金额（元）", "收支金额"])?,
            balance: need(&["账户结余(元)", "账户结余（元）", "账户结余"])?,
        })
    }
}

/// What a change of the balance was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Payment,
    Refund,
    Fee,
    Withdrawal,
    Other,
}

impl What {
    /// By the kind of business, else by its name; a fee names what it is for, so it is looked for first.
    fn of(kind: &str, name: &str) -> What {
        What::told(kind).or_else(|| What::told(name)).unwrap_or(What::Other)
    }

    fn told(text: &str) -> Option<What> {
        // Not trade, and neither are its fees and what comes back of it: no bill of trades names them.
        let beside =
            ["企业付款", "付款到", "转账", "分账", "红包", "充值", "保证金"].iter().any(|word| text.contains(word));
        let fee = text.contains("手续费");
        let words = [
            (fee && text.contains("交易"), What::Fee),
            (beside || fee && text.contains("提现"), What::Other),
            (fee, What::Fee),
            (text.contains("退款"), What::Refund),
            (text.contains("提现"), What::Withdrawal),
            (text.contains("交易"), What::Payment),
        ];
        words.into_iter().find(|(said, _)| *said).map(|(_, what)| what)
    }
}

/// Header names, rows whose every value starts with a backtick, then a summary of two lines.
fn read_rows(text: &str) -> Result<Flow, GatewayError> {
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim_end_matches('\r')));
    let (_, header) =
        lines.next().filter(|(_, header)| !header.is_empty()).ok_or_else(|| unusable(Flaw::FundsEmpty))?;
    let columns = Columns::of(header)?;
    let (mut flow, mut chain, mut rows) = (Flow::default(), Chain::default(), 0);
    let mut summary = None;
    while let Some((line, raw)) = lines.next() {
        if raw.is_empty() {
            continue;
        }
        if !raw.starts_with('`') {
            summary = Some((raw, lines.next().map(|(_, values)| values).unwrap_or_default()));
            break;
        }
        rows += 1;
        match row(&columns, raw) {
            Some(change) => {
                flow.add(change.what, change.signed);
                chain.add(change.signed, change.balance);
                if change.what == What::Refund && change.signed < 0 {
                    flow.gone.push((change.id.to_owned(), -change.signed));
                }
            }
            None => flow.wrong.push(format!("第 {line} 行读不懂")),
        }
    }
    // Without its summary the file was cut off on the way.
    let (names, values) = summary.ok_or_else(|| unusable(Flaw::FundsCutOff))?;
    let total = index_of(names, "资金流水总笔数").and_then(|i| values_of(values).get(i).copied());
    // Counts are printed like `20.0`.
    let total = total.and_then(|n| n.trim().trim_end_matches(".0").parse::<i64>().ok());
    if total != Some(rows) {
        flow.wrong.push(format!("汇总的总笔数与明细不符（明细 {rows} 行）"));
    }
    flow.balance = chain.ends();
    if flow.balance.is_none() && rows > 0 {
        flow.wrong.push("账户结余前后接不上".into());
    }
    Ok(flow)
}

/// One change of the balance, in fen.
struct Change<'r> {
    what: What,
    /// WeChat's number of the trade or the refund.
    id: &'r str,
    signed: i64,
    /// After it.
    balance: i64,
}

/// The texts that people wrote stand behind the columns that are read.
fn row<'r>(columns: &Columns, raw: &'r str) -> Option<Change<'r>> {
    let values = values_of(raw);
    let value = |column: usize| values.get(column).map(|value| value.trim());
    let amount = fen(value(columns.amount)?).filter(|fen| *fen >= 0)?;
    let signed = match value(columns.way)? {
        "收入" => amount,
        "支出" => -amount,
        _ => return None,
    };
    Some(Change {
        what: What::of(value(columns.kind)?, value(columns.name)?),
        id: columns.id.and_then(value).unwrap_or_default(),
        signed,
        balance: fen(value(columns.balance)?)?,
    })
}

impl Flow {
    /// So much left for refunds that no bill of this day names: they came back once, and were paid out again.
    pub fn set_aside(&mut self, fen: i64) {
        self.moved.left = self.moved.left.saturating_sub(fen);
        self.other = self.other.saturating_sub(fen);
    }

    fn add(&mut self, what: What, signed: i64) {
        let sum = match what {
            What::Payment => {
                self.payments += 1;
                &mut self.moved.arrived
            }
            What::Refund if signed > 0 => &mut self.returned,
            What::Refund => return self.moved.left = self.moved.left.saturating_sub(signed),
            What::Fee => return self.moved.fee = self.moved.fee.saturating_sub(signed),
            What::Withdrawal => return self.withdrawn = self.withdrawn.saturating_sub(signed),
            What::Other => &mut self.other,
        };
        *sum = sum.saturating_add(signed);
    }
}

/// The balances before and after each row. Rows of one second stand in any order, so it is counted how often each balance
/// is left and come to: only the first is left once more, and only the last is come to once more.
#[derive(Default)]
struct Chain {
    open: HashMap<i64, i64>,
    last: Option<i64>,
}

impl Chain {
    fn add(&mut self, signed: i64, balance: i64) {
        for (at, n) in [(balance, 1), (balance.saturating_sub(signed), -1)] {
            *self.open.entry(at).or_default() += n;
        }
        self.last = Some(balance);
    }

    /// The first and the last; `None` when a row is missing or was altered.
    fn ends(&self) -> Option<(i64, i64)> {
        let ends: Vec<(i64, i64)> = self.open.iter().map(|(at, n)| (*at, *n)).filter(|(_, n)| *n != 0).collect();
        match ends.as_slice() {
            // Everything that came went again.
            [] => self.last.map(|last| (last, last)),
            [(a, 1), (b, -1)] => Some((*b, *a)),
            [(a, -1), (b, 1)] => Some((*a, *b)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";
    const ROWS: [&str; 5] = [
        "`2026-10-08 13:15:40,`4200000001,`1900000001,`交易,`交易,`收入,`80.00,`180.00,`system,`买,卖`,`",
        "`2026-10-08 13:15:40,`4200000001,`1900000002,`扣除交易手续费,`扣除交易手续费,`支出,`0.48,`179.52,`system,`,`",
        "`2026-10-08 15:00:00,`5000000001,`1900000003,`退款,`退款,`支出,`40.00,`139.52,`system,`,`",
        "`2026-10-08 15:00:00,`5000000001,`1900000004,`退还手续费,`退款,`收入,`0.24,`139.76,`system,`,`",
        "`2026-10-08 23:00:00,`,`1900000005,`提现,`提现,`支出,`100.00,`39.76,`老板,`,`",
    ];

    fn file(rows: &[String]) -> String {
        let n = rows.len();
        format!(
            "\u{feff}{HEADER}\r\n{}\r\n资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`{n}.0,`2.0,`80.24,`3.0,`140.48\r\n",
            rows.join("\r\n")
        )
    }

    fn rows() -> Vec<String> {
        ROWS.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_day_is_summed_by_what_it_was_for() {
        // The fee that came back has the kind of the refund, and its own name.
        let mut rows = rows();
        rows[3] = rows[3].replace("`退款,`收入", "`退还手续费,`收入");
        let flow = read(file(&rows).as_bytes()).unwrap();
        assert_eq!(flow.moved, Moved { arrived: 8_000, left: 4_000, fee: 24 });
        assert_eq!((flow.payments, flow.withdrawn, flow.returned, flow.other), (1, 10_000, 0, 0));
        assert_eq!((flow.balance, flow.wrong.as_slice()), (Some((10_000, 3_976)), [].as_slice()));
        // Rows of one moment in another order are the same day.
        rows.swap(0, 1);
        assert_eq!(read(file(&rows).as_bytes()).unwrap(), flow);
    }

    /// Each row's kind and name, and what it is for: only trade is compared with the bill of trades.
    #[test]
    fn what_is_no_trade_is_neither_turnover_nor_a_fee_of_it() {
        for (kind, name, what) in [
            ("交易", "交易", What::Payment),
            ("扣除交易手续费", "扣除交易手续费", What::Fee),
            ("退还手续费", "退还手续费", What::Fee),
            ("手续费", "", What::Fee),
            ("退款", "退款", What::Refund),
            ("交易退款", "", What::Refund),
            ("", "退款", What::Refund),
            ("提现", "提现", What::Withdrawal),
            ("提现失败退回", "", What::Withdrawal),
            ("提现手续费", "提现手续费", What::Other),
            ("付款到银行卡手续费", "", What::Other),
            ("企业付款", "企业付款到零钱", What::Other),
            ("转账退款", "", What::Other),
            ("现金红包退款", "", What::Other),
            ("充值退款", "", What::Other),
            ("分账", "交易分账", What::Other),
            ("分账交易手续费", "", What::Fee),
            ("资金解冻", "", What::Other),
        ] {
            assert_eq!(What::of(kind, name), what, "{kind} {name}");
        }
    }

    #[test]
    fn a_row_with_one_thing_wrong_is_seen() {
        for (at, from, to, word) in [
            (1, "`0.48,", "`0.49,", "接不上"),
            (2, "`139.52,", "`139.53,", "接不上"),
            (2, "`支出", "`收入", "接不上"),
            (0, "`80.00,", "`八十,", "第 2 行"),
            (0, "`80.00,", "`-80.00,", "第 2 行"),
            (0, "`收入", "`进", "第 2 行"),
        ] {
            let mut rows = rows();
            rows[at] = rows[at].replace(from, to);
            assert_ne!(rows[at], ROWS[at], "{from}");
            let wrong = read(file(&rows).as_bytes()).unwrap().wrong.join("，");
            assert!(wrong.contains(word), "{from} {to}: {wrong}");
        }
        let mut short = rows();
        short.remove(2);
        assert!(read(file(&short).as_bytes()).unwrap().wrong.join("").contains("接不上"));
        let one_less = file(&rows()).replace(&format!("{}\r\n", ROWS[4]), "");
        assert!(read(one_less.as_bytes()).unwrap().wrong.join("").contains("总笔数"));
        for (text, word) in [
            (file(&rows()).split("资金流水总笔数").next().unwrap().to_owned(), "FUNDS_CUT_OFF"),
            (file(&rows()).replace("收支类型", "类型"), "FUNDS_COLUMNS_UNKNOWN"),
            (String::new(), "FUNDS_EMPTY"),
        ] {
            assert_eq!(read(text.as_bytes()), Err(unusable(word.parse().unwrap())), "{word}");
        }
    }
}
