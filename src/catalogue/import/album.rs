//! The pictures of a table: which of them are the goods', each read once, one at a time.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Column, Row};
use crate::catalogue::media::Picture;
use crate::tables::{self, Drawn};

/// Pictures that are held at once, each in its three widths, until they are stored.
const MOST_PICTURES: usize = 200;
/// So many that were left out are named one by one.
const NAMED: usize = 8;

#[derive(Default)]
pub(super) struct Album {
    pub pictures: Vec<Picture>,
    /// What became of a picture, by where its bytes are: goods of one kind share theirs.
    known: HashMap<usize, Result<String, String>>,
    /// Where pictures are that belong to some other column.
    elsewhere: Vec<String>,
    /// Rows that name pictures which are on the web, or were not brought with the table.
    pub elsewhere_named: usize,
}

/// A table that has a column for pictures says which are the goods'; else those that lie over what it says of them are.
/// One where nothing is written in the headings was put beside its row, and one in a column that is not used is not used.
fn belongs(row: &tables::Row, drawn: &Drawn) -> bool {
    let column = Column::Images as usize;
    match drawn.column {
        Some(at) => at == column || row.get(column).is_none(),
        None => !drawn.titled,
    }
}

impl Album {
    /// Takes the pictures of a row. What cannot be read is said with its cell.
    pub(super) fn take(&mut self, row: &tables::Row, read: &mut Row) {
        for drawn in &row.pictures {
            if !belongs(row, drawn) {
                self.elsewhere.push(drawn.address.clone());
                continue;
            }
            match self.hash(&drawn.bytes) {
                Ok(hash) => {
                    read.pictures.push(hash);
                    if drawn.cropped {
                        read.asks.push(format!(
                            "{} 里的图片在表格里裁过，这里用的是没裁的整张：请看下面的图，可以的请打勾",
                            drawn.address
                        ));
                    }
                }
                Err(why) => read.problems.push(format!("{} 里的图片：{why}", drawn.address)),
            }
        }
    }

    fn hash(&mut self, bytes: &Arc<[u8]>) -> Result<String, String> {
        let place = Arc::as_ptr(bytes).cast::<u8>() as usize;
        if let Some(known) = self.known.get(&place) {
            return known.clone();
        }
        let made = self.read(bytes);
        self.known.insert(place, made.clone());
        made
    }

    fn read(&mut self, bytes: &[u8]) -> Result<String, String> {
        if bytes.is_empty() {
            return Err("读不出来，或太大：请删掉它，导入后在商品页添加".to_owned());
        }
        if self.pictures.len() >= MOST_PICTURES {
            return Err(format!("一张表最多带 {MOST_PICTURES} 张图片，请拆成几个文件"));
        }
        let picture = Picture::read(bytes).map_err(|e| e.message())?;
        let hash = picture.hash.to_string();
        self.pictures.push(picture);
        Ok(hash)
    }

    /// What is said of pictures that are not the goods'.
    pub(super) fn left_out(&self) -> Vec<String> {
        let named = self.elsewhere_named;
        let words = format!("有 {named} 行的图片是网址或文件名，没有导入：请导入后在商品页添加，或把图片放进单元格");
        self.drawn_elsewhere().into_iter().chain((named > 0).then_some(words)).collect()
    }

    fn drawn_elsewhere(&self) -> Option<String> {
        let named = self.elsewhere.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("、");
        let n = self.elsewhere.len();
        let more = if n > NAMED { "…" } else { "" };
        (n > 0)
            .then(|| format!("不在「图片」列里的 {n} 张图片没有读：{named}{more}；要用的话，把那一列的列名改成 图片"))
    }
}
