//! The pictures of a table: which of them are the goods', each read once, one at a time.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Column, Row};
use crate::catalogue::media::{Picture, held};
use crate::tables::{self, Drawn, Looks};

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
    /// Where those are of which nothing is to be seen in the table.
    unseen: Vec<String>,
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

/// In what a picture looks otherwise in the table than in its file, in words. One that lay on its side in the file as well,
/// and says so there, is upright here and there.
fn otherwise(drawn: &Drawn) -> Option<&'static str> {
    let Looks { cropped, turned, mirrored, .. } = drawn.looks;
    let turned = mirrored || turned != 0 && turned != held(&drawn.bytes);
    match (cropped, turned) {
        (true, true) => Some("裁过、转过，这里用的是没裁、没转的整张"),
        (true, false) => Some("裁过，这里用的是没裁的整张"),
        (false, true) => Some("转过，这里用的是没转的"),
        (false, false) => None,
    }
}

/// Addresses in one line, the first of them.
fn named(addresses: &[String]) -> String {
    let named = addresses.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("、");
    named + if addresses.len() > NAMED { "…" } else { "" }
}

impl Album {
    /// Takes the pictures of a row. What cannot be read is said with its cell.
    pub(super) fn take(&mut self, row: &tables::Row, read: &mut Row) {
        for drawn in &row.pictures {
            if drawn.looks.unseen {
                self.unseen.push(drawn.address.clone());
                continue;
            }
            if !belongs(row, drawn) {
                self.elsewhere.push(drawn.address.clone());
                continue;
            }
            match self.hash(&drawn.bytes) {
                Ok(hash) => {
                    read.pictures.push(hash);
                    if let Some(otherwise) = otherwise(drawn) {
                        read.asks
                            .push(format!("{} 里的图片在表格里{otherwise}：请看下面的图，可以的请打勾", drawn.address));
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
        let drawn = [self.drawn_elsewhere(), self.drawn_unseen()];
        drawn.into_iter().flatten().chain((named > 0).then_some(words)).collect()
    }

    fn drawn_elsewhere(&self) -> Option<String> {
        let (n, named) = (self.elsewhere.len(), named(&self.elsewhere));
        (n > 0).then(|| format!("不在「图片」列里的 {n} 张图片没有读：{named}；要用的话，把那一列的列名改成 图片"))
    }

    fn drawn_unseen(&self) -> Option<String> {
        let (n, named) = (self.unseen.len(), named(&self.unseen));
        (n > 0).then(|| {
            format!(
                "表里看不见的 {n} 张图片没有读：{named}（在隐藏的行里，或宽、高是 0，多半是删掉的行留下的）；要用的话，先让它在表里显示出来，或导入后在商品页添加"
            )
        })
    }
}
