//! What people write beside a parcel that is not to go as it stands: it stays, it waits, it goes another way, it has gone
//! already. They say so in ever other words, and in few ways.

use crate::typed::{clauses, holds_one_of, plain};

/// What says so where a clause has no more than whose will it is and how it ends: 先放着, 客户不要了, 拦一下.
const ALONE: &str = "等 放 留 扣 压 拦 截 停 缓 搁 存 废 删 撤 退 换 改 锁 弃 算 坏 不用 不要 不收 不买 不订 不拿 不动 别动 不发 \
                     不寄 不送 不需要 不想要 取消 后悔 反悔 作罢 自提 自取 来取 来拿 取走 拿走 重单 假单 空单 空包 刷单 重复 测试 \
                     有误 号错";
const WHOSE: &str = "已经 已 请 麻烦 帮忙 先 暂时 暂 都 全部 把 被 给 客户 客人 顾客 买家 卖家 商家 对方 本人 自己 老板 系统 \
                     收件人 收货人 他 她 此 该 本 这 那 上面 下面 一 单 个 票 行 条 件 货 单号 面单 订单 快递 包裹 是 说 要求 \
                     要 想 让 会 来 上门 到店 来店 门店 店里 现场 明天 今天 下午 上午";
const HOW: &str = "了 单 件 的 掉 下 来 住 着 一下 吧 啦 哈 哦 呢 先 这单 再说";

/// Of what a parcel goes by, what may be put right; and how it goes.
const ABOUT: &str = "地址 电话 手机 号码 收件 收货 快递 物流 单号 面单 运单";
const WAYS: &str = "发 寄 走 派 号 顺丰 中通 圆通 申通 韵达 极兔 京东 邮政 德邦 ems 别的 其他";

/// Whether a remark says that the parcel beside it is not to go now, or not so.
pub fn halts(text: &str) -> bool {
    const LATIN: [&str; 6] = ["hold", "wait", "cancel", "cancelled", "canceled", "void"];
    let text = plain(text);
    let alone = |clause: &str| boils_down_to(clause, &|word| list(ALONE).any(|known| known == word));
    let speaks = [waits, is_changed, is_done, is_less, is_in_parts, is_unpaid, is_not_here, goes_along];
    clauses(&text).any(|clause| alone(clause) || speaks.iter().any(|says| says(clause)))
        || text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| LATIN.contains(&word))
}

/// Whether every clause is on where to leave the parcel, on how it is packed, on whom to call, or a wish; what takes
/// one of these back is for whoever packs it.
pub fn is_harmless(text: &str) -> bool {
    const LEFT: &str = "放 搁 存 挂 送 摆 置";
    const PLACES: &str = "门 柜 站 点 卫 室 岗 前台 口 楼 家 箱 处 旁 邻居 超市 物业 丰巢 里 上";
    const ELSE: &str = "快乐 谢谢 感谢 辛苦 祝 恭喜 你好 您好 生日 幸福 健康 平安 轻放 小心 易碎 勿压 防压 防震 防水 包好 包装 \
                        打包 保温 冰 泡沫 加固 礼盒 礼袋 贺卡 卡片 赠品 小样 蜡烛 餐具 丝带 打电话 电联 联系 短信 提前 敲门 按铃 \
                        小票 价签 标价 价格 送礼 送人 送朋友 送长辈 送老师 礼物 过年 过节 中秋 端午 春节 新年 电梯 楼梯 上楼 步梯 \
                        辣 少糖 无糖 半糖 甜 咸 酸 香菜 葱 蒜 尽快 尽早 早点 快点 抓紧 别晚 准时 按时";
    let text = plain(text);
    let left = |clause: &str| holds_one_of(clause, LEFT) && holds_one_of(clause, PLACES);
    clauses(&text).next().is_some()
        && !halts(&text)
        && !text.contains("取消")
        && clauses(&text).all(|clause| left(clause) || holds_one_of(clause, ELSE))
}

pub(super) fn list(words: &'static str) -> impl Iterator<Item = &'static str> {
    words.split_ascii_whitespace()
}

pub(super) fn ends(text: &str, words: &'static str) -> bool {
    list(words).any(|word| text.ends_with(word))
}

/// Whether a text is such a word, whatever stands before it of whose will it is and behind it of how it ends.
pub fn boils_down_to(text: &str, known: &dyn Fn(&str) -> bool) -> bool {
    let whose =
        |at: usize| list(WHOSE).filter(|word| text[at..].starts_with(word)).map(|word| at + word.len()).collect();
    let how = |at: usize| list(HOW).filter(|word| text[..at].ends_with(word)).map(|word| at - word.len()).collect();
    let (starts, stops) = (reached(0, &whose), reached(text.len(), &how));
    starts.iter().any(|from| stops.iter().any(|to| from < to && known(&text[*from..*to])))
}

/// All places that are reached from this one by steps.
fn reached(from: usize, steps: &dyn Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let mut places = vec![from];
    let mut at = 0;
    while let Some(place) = places.get(at).copied() {
        let new: Vec<usize> = steps(place).into_iter().filter(|place| !places.contains(place)).collect();
        places.extend(new);
        at += 1;
    }
    places
}

/// 等货, 先不发, 明天发, 3 号再寄, 补货后发.
fn waits(clause: &str) -> bool {
    const LATER: &str = "明天 明日 明早 明晚 后天 后日 改天 隔天 次日 下次 下批 下回 下周 周末 下月 个月 月底 月初 后 慢点 晚点 迟点 \
                         晚些 迟些 几天 推迟 延迟 延期 稍 再 到货 补货 有货 凑齐 配齐 备齐 到齐 集齐 凑够";
    let begun = |words: &'static str| list(words).find_map(|word| clause.strip_prefix(word));
    let waits = clause.trim_start_matches(['先', '请', '再']).strip_prefix('等');
    let waits = waits.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['级', '着', '你', '候', '不']));
    let open = begun("待").is_some_and(|rest| rest.starts_with(['确', '通', '补', '定', '货', '客', '付', '审', '核']));
    let stays = begun("暂时 暂 先")
        .is_some_and(|rest| rest.starts_with(['不', '别', '勿', '留', '压', '扣', '存', '停', '缓']));
    let later = |before: &str| {
        let before = before.strip_suffix("一起").unwrap_or(before);
        let head = before.char_indices().next_back().map_or("", |(at, _)| &before[..at]);
        let counted = ends(before, "号 日 天 点 月") && head.ends_with(is_numeral);
        ends(before, LATER) || counted || ends(head, "周 星期 礼拜")
    };
    let mut verbs = list("发 寄 出货 出库").flat_map(|verb| clause.match_indices(verb));
    let goes_later =
        |(at, verb): (usize, &str)| later(&clause[..at]) && !clause[at + verb.len()..].starts_with(['票', '朋']);
    // 其余后补
    let made_up = |(at, verb): (usize, &str)| {
        let rest = &clause[at + verb.len()..];
        later(&clause[..at])
            && (rest.is_empty() || list("上 齐 发 寄 给 货 的 一 两 来 了").any(|word| rest.starts_with(word)))
    };
    waits || open || stays || verbs.any(goes_later) || clause.match_indices("补").any(made_up)
}

fn is_numeral(c: char) -> bool {
    c.is_ascii_digit() || "一二两三四五六七八九十".contains(c)
}

/// 改发顺丰, 地址改为…, 换个地址, 新地址, 电话错了.
fn is_changed(clause: &str) -> bool {
    const KINDS: &str = "口味 味道 颜色 款 尺码 规格 尺寸 型号 花色 样式 图案 大号 小号 大一号 小一号";
    const WRONG: &str = "错 错了 有误 不对 坏了 不详 不全 变了 改了 换了 变更 更正";
    let denied = |before: &str| ends(before, "不 别 勿 没 无 未 不用 不要");
    let turned = |(at, word): (usize, &str)| {
        let (before, rest) = (&clause[..at], &clause[at + word.len()..]);
        let to = rest.strip_prefix(['为', '成', '到']).is_some_and(|to| !to.is_empty());
        let thing = rest.trim_start_matches(['个', '成', '为', '到', '一', '下', '用', '了', '新']);
        let about = list(ABOUT).chain(list(WAYS)).any(|word| thing.starts_with(word));
        // 换个口味, 换蓝色; and not 可换颜色.
        let kind = list(KINDS).any(|word| thing.starts_with(word)) || ends(rest, "色 色的 码 码的 味 味的 款 款的");
        let about = about || kind && !ends(before, "可 可以 能 支持 包") && !rest.starts_with(['季', '洗']);
        !denied(before) && (to || about || !rest.is_empty() && ends(before, ABOUT) || before.ends_with("机号"))
    };
    let wrong = list(WRONG).find_map(|word| clause.strip_suffix(word));
    list("改 换 转").flat_map(|word| clause.match_indices(word)).any(turned)
        || wrong.is_some_and(|before| holds_one_of(before, ABOUT) && !denied(before))
        || clause.split('新').skip(1).any(|thing| list(ABOUT).any(|about| thing.starts_with(about)))
        || ends(clause, "打不通 是空号 停机")
        || holds_one_of(
            clause,
            "黑名单 刷单 另一个单号 查无 超区 联系不上 并入 并到 合到 断码 库存不足 现货不足 没现货 无现货",
        )
}

/// 已补发, 发过了, 已经寄出去了.
fn is_done(clause: &str) -> bool {
    const AGAIN: &str = "补发 补寄 重发 重寄 发出去 寄出去 签收";
    let done = |word: &str| {
        clause.split(word).skip(1).any(|after| after.starts_with(['了', '过']))
            || ends(clause.split(word).next().unwrap_or_default(), "已 已经") && clause.contains(word)
    };
    list(AGAIN).any(done)
        || holds_one_of(clause, "发过 寄过 补过 出过 发重 拍重 重拍 多拍 重新发 重新寄 重新打 重新出 重打 重出")
}

/// 少发一件, 只要一个, 先发一半, 缺一件, 先发苹果.
fn is_less(clause: &str) -> bool {
    const MEASURES: &str =
        "件 个 份 盒 箱 包 袋 瓶 只 条 支 套 罐 双 张 本 斤 块 台 片 枚 串 束 朵 桶 碗 杯 对 样 种 半";
    const SOME: &str = "一半 半 部分 一部分 有货 有货的 现货 其他 其他的 别的 另外的";
    const ENDS: &str = "的 了 吧 就好 就行 就够 即可 就可以 够了 哦 哈 呢 谢谢 货";
    let measured = |rest: &str| -> Option<String> {
        let n = rest.chars().take_while(|c| is_numeral(*c)).map(char::len_utf8).sum::<usize>();
        let measure = list(MEASURES).find(|word| n > 0 && rest[n..].starts_with(word)).map(|word| n + word.len());
        let some = || list(SOME).filter(|word| rest.starts_with(word)).map(str::len).max();
        measure.or_else(some).map(|to| rest[to..].to_owned())
    };
    let is_end = |rest: &str| rest.is_empty() || list(ENDS).any(|end| rest == end);
    // Of what is sent first or alone, what is none of its goods.
    const NO_GOODS: &str =
        "货 吧 出 走 了 哈 哦 呢 给 我 这 那 快 件 后 省 本地 同城 一 两 到 往 至 谢 好 工作日 周 晚 早 白天";
    let part = |rest: &str| {
        rest.chars().next().is_some_and(|c| !c.is_ascii())
            && !list(NO_GOODS).chain(list(WAYS)).any(|word| rest.starts_with(word))
    };
    let less = list("少 只 仅 先 就").flat_map(|head| clause.match_indices(head)).any(|(at, head)| {
        let (before, after) = (&clause[..at], &clause[at + head.len()..]);
        let after = list("能 可以 够 需要 需 想").find_map(|word| after.strip_prefix(word)).unwrap_or(after);
        let sent = list("发 寄 出").find_map(|verb| after.strip_prefix(verb));
        let wanted = list("要 给 装 拿 送 买 有 剩").find_map(|verb| after.strip_prefix(verb));
        let bare = Some(after).filter(|_| head != "先");
        let denied = ends(before, "不 别 勿 至 最 不要 不能 减 多 缺 优");
        let sends = sent.and_then(measured).is_some_and(|rest| is_end(&rest) || head != "就");
        let some = head != "少" && head != "就" && list("发 寄").any(|verb| after.strip_prefix(verb).is_some_and(part));
        !denied && (sends || some || wanted.or(bare).and_then(measured).is_some_and(|rest| is_end(&rest)))
    });
    // 缺一件, 漏发两盒, 还差一个, 减一件
    let missing =
        list("缺少 减少 少了 缺 差 欠 漏 减 减掉 去掉 扣掉 还剩 仅剩 剩").flat_map(|head| clause.match_indices(head));
    let missing = missing.into_iter().any(|(at, head)| {
        let (before, after) = (&clause[..at], &clause[at + head.len()..]);
        let after = list("发了 寄了 装了 发 寄 装 放 了").find_map(|word| after.strip_prefix(word)).unwrap_or(after);
        !ends(before, "不 别 勿 没 无 未 相") && measured(after).is_some_and(|rest| is_end(&rest))
    });
    less || missing
        || list("发一半 寄一半 漏发 漏寄 少货 缺件 货不够 不够货 不够发 售罄 卖完 卖光 没有货").any(|word| {
            clause.split_once(word).is_some_and(|(before, _)| !ends(before, "不 别 勿 没 无 未 不要 以免 防止 避免"))
        })
}

/// 分两次, 分批发, 拆成两单, 两个包裹: more parcels than one.
fn is_in_parts(clause: &str) -> bool {
    const TURNS: &str = "次 批 趟 回 个包裹 个快递 个单号 个单子 个订单 单 票 件 箱 包 天 个地址";
    let denied = |before: &str| ends(before, "不 别 勿 没 无 未 不用 不要 无需 不能 不可 不许 请勿 避免");
    let is_one = |n: &str| ["一", "1"].contains(&n);
    let packed = |rest: &str| rest.starts_with(['装', '包']) || holds_one_of(rest, "包装 袋子 盒子 独立");
    let sent = |rest: &str| list("发 寄 出 送 走").any(|verb| rest.starts_with(verb)) && !rest.starts_with("出来");
    let counted = |rest: &str| {
        let n = rest.chars().take_while(|c| is_numeral(*c) || "几多".contains(*c)).map(char::len_utf8).sum::<usize>();
        let turn = list(TURNS).find(|word| n > 0 && rest[n..].starts_with(word))?;
        Some((rest[..n].to_owned(), rest[n + turn.len()..].to_owned()))
    };
    let parted = list("分 拆").flat_map(|head| clause.match_indices(head)).any(|(at, head)| {
        let (before, after) = (&clause[..at], &clause[at + head.len()..]);
        let apart = after.strip_prefix("开").is_some_and(sent);
        let after = list("成 为 作 开").find_map(|word| after.strip_prefix(word)).unwrap_or(after);
        let turns = counted(after).is_some_and(|(n, rest)| !is_one(&n) && !packed(&rest));
        let single = list("批 次 包裹 单").find_map(|word| after.strip_prefix(word));
        let single =
            single.is_some_and(|rest| (rest.is_empty() || sent(rest)) && !ends(before, "积 评 得 满 打 百 部 十"));
        !denied(before) && (apart || turns || single)
    });
    let several = clause.char_indices().filter(|(_, c)| is_numeral(*c)).any(|(at, _)| {
        let before = &clause[..at];
        let found = counted(&clause[at..]).filter(|(n, _)| !is_one(n));
        !before.ends_with(|c| is_numeral(c) || c == '第')
            && !denied(before)
            && found.is_some_and(|(n, rest)| {
                let turn = clause[at + n.len()..].trim_end_matches(rest.as_str());
                let parcels = ["个包裹", "个快递", "个单号", "个地址"].contains(&turn);
                parcels && !packed(&rest) || ["次", "批", "趟"].contains(&turn) && sent(&rest)
            })
    });
    parted || several || holds_one_of(clause, "首批 第一批 第二批 拆分发 部分发 部分先 各发")
}

/// 未付清, 还没付款, 差价未补.
fn is_unpaid(clause: &str) -> bool {
    holds_one_of(
        clause,
        "未付 没付 没有付 未补 没补 未结清 没结清 未结账 没结账 未到账 没到账 未收款 没收款 未打款 没打款 款没到 款未到 没给钱 \
         没收到钱 没收到款 欠款 欠钱 还欠 待付",
    )
}

/// 赠品没到, 货没齐.
fn is_not_here(clause: &str) -> bool {
    const MISSING: &str = "没到 未到 没有到 没到货 未到货 没来 没齐 未齐 不齐 没到齐 未到齐 没做好 未做好 没做完 未完成 没完成 没弄好 \
                           没备好 没配好 没配齐 没印好 没刻好 没准备好";
    let clause = clause.trim_end_matches(['呢', '哦', '哈', '啊']);
    ends(clause, MISSING) && !list(MISSING).any(|word| word == clause)
}

/// 和王小明的一起, 跟上一单一起发, 两单合并: in a parcel of others. What is laid in besides is none.
fn goes_along(clause: &str) -> bool {
    const IN_IT: &str = "贺卡 卡片 赠品 发票 小票 冰袋 礼 蜡烛 餐具 花 信 袋子";
    let others = list("和 跟 与 同").any(|word| clause.contains(word));
    let orders = clause.contains('单') || clause.contains("包裹");
    let with_them =
        ends(clause, "的一起 的一块 一起发 一起寄 一起走 一起出 一块发 一块寄 合并 合并发 合发 合寄 并一起");
    let of_orders = orders && ends(clause, "一起 一块 一起发 一起寄 一起走 一块发 合并 合并发 合发 合寄 合一单");
    (others && with_them || of_orders) && !holds_one_of(clause, IN_IT) && !holds_one_of(clause, "不用 不要 别 勿 无需")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of texts, those that are not as they should be.
    fn wrong(texts: &'static str, right: &dyn Fn(&str) -> bool) -> Vec<&'static str> {
        texts.split('/').filter(|text| !right(text)).collect()
    }

    #[test]
    fn whoever_stops_or_changes_a_parcel_is_heard() {
        const TEXTS: &str = "等货/等补货/等通知/等我电话/先等等/待确认/明天发/明天再发/后天寄/周一发/12月1号发/3天后发货/补货后再发/\
             下周一寄出/先不发/先别寄/暂存/先压着/先留一下/不用了/客户不要/不要了/算了/这单不要了/先放着/放着/拦下来/\
             拦一下/扣住/废/废了/废单/删掉/删了/退/撤/hold/on hold/自提/上门自提/客户自己来取/到店自取/改发顺丰/换顺丰/\
             改寄公司/转寄/换个地址/改地址/地址改为上海市浦东新区世纪大道1号/地址改了/新地址/电话错/电话变更/\
             收件人改成李四/单号不对/单号有误/面单坏了/地址不详/换单号/已补发/已经发过了/发过了/补发过/已经补寄了/重单/\
             这是重单/地址改上海浦东新区/手机号改13800001111/下个月发/到货发/不想要/重新打单/多拍了/并入下单/查无此人/\
             超区/急，明天发/明天发谢谢/后天一起发/补发了/少发一件/少一件/只要一个/只发两盒/只寄一半/先发一半/先发两件/先发有货的/\
             只要一件就好/未付清/尾款未付/差价没补/还没付款/货款没到/赠品没到/贺卡没做好/货不齐/和王小明的一起/跟上一单一起发/两单一起/\
             与李四合并发/换个口味/换颜色/换成蓝色/换蓝色的/改尺码/换大一号/剩下的下次发/\
             电话打不通/疑似刷单/黑名单客户/分两次/分两次发/分批发货/分2批/请分开发/拆单/拆成两单发/拆两个包裹/两个包裹/分三个快递/             两次发/第一批/部分发货/缺一件/还差一个/欠两盒/漏发一件/少了一件/减一件/先发苹果/先寄红色的/只发面包/只能发一件/只有一件/             还剩两件/剩下的后补/其余后补/凑齐发/发一半/苹果售罄/货不够/要顺丰，分两次/要顺丰先发一件";
        assert_eq!(wrong(TEXTS, &|text| halts(text) && !is_harmless(text)), <[&str; 0]>::default());
    }

    #[test]
    fn what_is_said_of_a_parcel_that_goes_is_no_halt() {
        const HARMLESS: &str = "放门口/放驿站/生日快乐/送贺卡/加冰袋/轻拿轻放/送货上门/祝爸爸生日快乐，爱你妈妈生日/到了打电话/请提前联系/\
             易碎，小心/不在家放门卫室/丰巢自取放柜子里/附赠品，谢谢/不要辣/少糖/没有电梯/麻烦尽快发货/送礼不放小票/过年送人的/\
             尽快发货，谢谢/和贺卡一起放礼盒里/至少放两个冰袋";
        assert_eq!(wrong(HARMLESS, &|text| !halts(text) && is_harmless(text)), <[&str; 0]>::default());
        const GOING: &str = "不要发票/开发票/不改地址/老客户/VIP/不要辣/少糖/今天发/当天发/今日发货/已发/已发货/尽快发/急用/等级A/\
             急，等着用/换个好点的包装/更换礼盒/明天到/周六收/发顺丰/不用找零/工作日送/颜色随机/L码/红色/不要放门口/\
             验货后付款/发朋友圈/周一发朋友圈/明天发票/电话没错/2//3号楼/转交张三/大促/加急/一件/两箱/小王/打单/已打印/货到付款/周日生日/\
             不要发错/至少两件/不少于一件/只要一个袋子/就一个人在家/先发货吧/请先发/多发一件/已付清/尾款已付/差价补了/货到付款/人没到可放柜/没到不要打电话/打不通放门口/\
             和家人一起吃/不用和别的一起发/分两份装/分开装/分两袋包装/十分满意/打 100 分/积分/分享给朋友/部分地区/先发顺丰/只发中通/先发给我/优先发货/             第二次购买/两次了/一个包裹/减脂/差一点/缺一不可/两件一起/不要分两次/请勿拆单/补偿/售后补贴/只有周末在/至少补一张卡/来过三次/三次元/差评/分店/             分一下/可换颜色/不合适可换/换季穿/只有周末在家/先打电话/别放门口/贺卡不用了/1号柜/不要拆单/留言条/改善/收件人本人签收/待发货/待揽收/不要改地址/无需签收";
        assert_eq!(wrong(GOING, &|text| !halts(text)), <[&str; 0]>::default());
        assert!(!halts("取消赠品") && !is_harmless("取消赠品"));
    }
}
