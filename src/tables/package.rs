//! The parts of a workbook of Excel, and how they refer to each other.

use std::collections::HashMap;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::zipped::attribute;
use super::{Unreadable, zipped};

/// Parts of the package, by their relations' ids.
type Relations = HashMap<String, String>;

pub(super) struct Package<'a> {
    zip: zipped::Zip<'a>,
    /// Where each sheet is, by its name, once somebody has asked.
    sheets: Option<Relations>,
}

impl<'a> Package<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Package<'a>, Unreadable> {
        Ok(Package { zip: zipped::open(bytes)?, sheets: None })
    }

    /// Empty where it is not there.
    pub(super) fn part(&mut self, name: &str) -> Result<Vec<u8>, Unreadable> {
        Ok(zipped::part(&mut self.zip, name)?.unwrap_or_default())
    }

    /// What a part refers to; things outside of the package are not in it.
    pub(super) fn relations(&mut self, part: &str) -> Result<Relations, Unreadable> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let xml = self.part(&format!("{folder}/_rels/{name}.rels"))?;
        let mut relations = Relations::new();
        walk(&xml[..], |seen| {
            if let Seen::Start("Relationship", tag) = seen
                && attribute(tag, "TargetMode").as_deref() != Some("External")
                && let (Some(id), Some(target)) = (attribute(tag, "Id"), attribute(tag, "Target"))
            {
                relations.insert(id, within(folder, &target));
            }
        })?;
        Ok(relations)
    }

    fn sheets(&mut self) -> Result<Relations, Unreadable> {
        let relations = self.relations("xl/workbook.xml")?;
        let xml = self.part("xl/workbook.xml")?;
        let mut sheets = Relations::new();
        walk(&xml[..], |seen| {
            if let Seen::Start("sheet", tag) = seen
                && let (Some(name), Some(id)) = (attribute(tag, "name"), attribute(tag, "id"))
                && let Some(part) = relations.get(&id)
            {
                sheets.insert(name, part.clone());
            }
        })?;
        Ok(sheets)
    }

    /// The part in which a sheet is kept.
    pub(super) fn sheet(&mut self, name: &str) -> Result<Option<String>, Unreadable> {
        let sheets = match self.sheets.take() {
            Some(known) => known,
            None => self.sheets()?,
        };
        Ok(self.sheets.insert(sheets).get(name).cloned())
    }

    /// Walks over a sheet, which may be larger than what is kept whole.
    pub(super) fn walk_sheet(&mut self, name: &str, each: impl FnMut(Seen<'_>)) -> Result<(), Unreadable> {
        let part = self.sheet(name)?.and_then(|part| self.zip.index_for_name(&part));
        let Some(at) = part else { return Ok(()) };
        let entry = self.zip.by_index(at).map_err(|e| zipped::broken(&e))?;
        walk(std::io::BufReader::new(entry), each)
    }
}

/// What `walk` comes by: names are without their prefixes.
pub(super) enum Seen<'a> {
    Start(&'a str, &'a BytesStart<'a>),
    Text(&'a str),
    End(&'a str),
}

pub(super) fn walk(xml: impl BufRead, mut each: impl FnMut(Seen<'_>)) -> Result<(), Unreadable> {
    let (mut reader, mut buffer) = (Reader::from_reader(xml), Vec::new());
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|e| zipped::broken(&e))? {
            Event::Start(tag) => each(Seen::Start(tag.local_name().as_ref(), &tag)),
            Event::Empty(tag) => {
                each(Seen::Start(tag.local_name().as_ref(), &tag));
                each(Seen::End(tag.local_name().as_ref()));
            }
            Event::Text(text) => each(Seen::Text(&text.xml10_content())),
            Event::CData(text) => each(Seen::Text(&text.xml10_content())),
            Event::GeneralRef(entity) => each(Seen::Text(&referred(&entity)?)),
            Event::End(tag) => each(Seen::End(tag.local_name().as_ref())),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// What a reference stands for: `&amp;`, `&#26032;`. It parts a text in two.
pub(super) fn referred(entity: &BytesRef<'_>) -> Result<String, Unreadable> {
    let letter = entity.resolve_char_ref().map_err(|e| zipped::broken(&e))?.map(String::from);
    let known = || quick_xml::escape::resolve_predefined_entity(entity).map(str::to_owned);
    letter.or_else(known).ok_or_else(|| zipped::broken(&"未知的实体"))
}

/// A part's name from where it is referred to.
fn within(folder: &str, target: &str) -> String {
    let whole = match target.strip_prefix('/') {
        Some(whole) => whole.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut parts = Vec::new();
    for part in whole.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." => parts.truncate(parts.len().saturating_sub(1)),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
