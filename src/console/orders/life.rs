//! A line of life: what was reached and when, how long each stretch took, and where it stands. Of an order, and of what comes back.

use serde::Serialize;

use crate::clock;

#[derive(Serialize)]
pub struct Step {
    text: &'static str,
    at: Option<String>,
    done: bool,
    here: bool,
    took: Option<String>,
    /// The stretch that it is in just now.
    waits: bool,
}

/// What has a time is behind it; the first that has none is where it stands.
pub fn line(reached: &[(&'static str, Option<i64>)], now: i64) -> Vec<Step> {
    let here = reached.iter().position(|(_, at)| at.is_none());
    let took = |i: usize| {
        let (from, to) = (reached[i].1?, reached.get(i + 1)?.1);
        Some(clock::span(to.unwrap_or(now) - from))
    };
    let step = |(i, (text, at)): (usize, &(&'static str, Option<i64>))| Step {
        text,
        at: at.map(|at| clock::shown_near(at, now)),
        done: at.is_some(),
        here: here == Some(i),
        took: took(i),
        waits: here == Some(i + 1),
    };
    reached.iter().enumerate().map(step).collect()
}

#[cfg(test)]
impl Step {
    /// One that was reached, and one that is waited for.
    pub fn samples() -> Vec<Step> {
        line(&[("提交", Some(clock::DAY)), ("付款", None)], 2 * clock::DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stretch_has_its_length_and_the_last_one_goes_on() {
        let now = 20 * clock::DAY;
        let at = |hours: i64| Some(now - hours * clock::HOUR);
        let said = |reached: &[(&'static str, Option<i64>)]| -> Vec<_> {
            let told = |step: Step| (step.text, step.took.unwrap_or_default(), step.done, step.here, step.waits);
            line(reached, now).into_iter().map(told).collect()
        };
        let span = |hours: i64| clock::span(hours * clock::HOUR);
        assert_eq!(
            said(&[("申请", at(9)), ("同意", at(7)), ("寄回", None), ("收到", None)]),
            [
                ("申请", span(2), true, false, false),
                ("同意", span(7), true, false, true),
                ("寄回", String::new(), false, true, false),
                ("收到", String::new(), false, false, false),
            ]
        );
        assert_eq!(said(&[("申请", at(9)), ("已撤回", at(1))])[1], ("已撤回", String::new(), true, false, false));
    }
}
