//! Tax numbers (纳税人识别号), checked as far as their own published rules go.

/// The signs of a 统一社会信用代码, by their value. Source: GB 32100-2015.
const SIGNS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const SHORTEST: usize = 15;
const LONGEST: usize = 20;

/// The number as it is written out, or what is wrong with it. Of eighteen signs the last one must fit the others: by the
/// rule of companies, or, where somebody trades under it, by that of identity cards. Older numbers have no such sign.
pub fn tax_no(typed: &str) -> Result<String, String> {
    let number: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>().to_ascii_uppercase();
    let length = number.chars().count();
    if number.is_empty() {
        return Err("企业抬头要填税号".into());
    }
    if !number.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Err("税号只有数字和大写字母，请核对".into());
    }
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(format!("税号应为 {SHORTEST} 到 {LONGEST} 位，您填了 {length} 位"));
    }
    if length == 18 && !(of_company(&number) || of_person(&number)) {
        return Err("税号的校验位不对，可能有一位写错了，请核对".into());
    }
    Ok(number)
}

fn of_company(number: &str) -> bool {
    let values: Option<Vec<usize>> = number.chars().map(|c| SIGNS.find(c)).collect();
    let Some(values) = values else { return false };
    let mut weight = 1;
    let mut sum = 0;
    for value in &values[..17] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    (31 - sum % 31) % 31 == values[17]
}

/// Source: GB 11643-1999.
fn of_person(number: &str) -> bool {
    let (digits, sign) = number.split_at(17);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    // Powers of two, the highest first.
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize = digits.bytes().zip(weights).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    "10X98765432".chars().nth(sum % 11).is_some_and(|fits| sign.starts_with(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_as_written_and_refused_by_what_is_wrong_with_it() {
        for (typed, read) in [
            // Published examples: a company's by GB 32100, an identity card's by GB 11643.
            ("91350100M000100Y43", Ok("91350100M000100Y43")),
            (" 9135 0100 m000-100y43 ", Ok("91350100M000100Y43")),
            ("11010519491231002X", Ok("11010519491231002X")),
            ("110105194912310021", Err("校验位不对")),
            ("91350100M000100Y44", Err("校验位不对")),
            ("91350100M000100Y4I", Err("校验位不对")),
            ("440300123456789", Ok("440300123456789")),
            ("11010519491231002X00", Ok("11010519491231002X00")),
            ("44030012345678", Err("15 到 20 位，您填了 14 位")),
            ("440300123456789012345", Err("15 到 20 位，您填了 21 位")),
            ("", Err("要填税号")),
            ("91350100M000100Ｙ43", Err("只有数字和大写字母")),
            ("税号一二三四五六七八九十一二三四", Err("只有数字和大写字母")),
        ] {
            match (tax_no(typed), read) {
                (Ok(found), Ok(read)) => assert_eq!(found, read),
                (Err(found), Err(words)) => assert!(found.contains(words), "{typed}: {found}"),
                (found, read) => panic!("{typed}: {found:?} is not {read:?}"),
            }
        }
    }
}
