//! A disk that was written down (`record.c`), and what of it may be there after the power is gone.
//!
//! What was flushed is there. Of what was written since, anything may be there: none, all, some, half, the last before the
//! first. Names change in their order, as every journaling file system keeps it, and for sure once their folder was flushed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// One thing that a program did.
pub struct Act {
    what: What,
    /// How long the record was after it.
    pub end: u64,
}

enum What {
    Opened { number: u64, name: String, emptied: bool, is_folder: bool },
    Wrote { number: u64, at: usize, bytes: Vec<u8> },
    Cut { number: u64, length: usize },
    Flushed { number: u64 },
    Renamed { from: String, to: String },
    Linked { from: String, to: String },
    Unlinked { name: String },
    MadeFolder,
}

/// Everything that was written down. The last act may be missing, when the program was ended in the middle of it.
pub fn read(record: &Path) -> Vec<Act> {
    let (all, mut acts, mut at) = (std::fs::read(record).unwrap(), Vec::new(), 0);
    let long = |at: usize| u64::from_le_bytes(all[at..at + 8].try_into().unwrap());
    while at + 21 <= all.len() {
        let (number, place) = (long(at + 1), long(at + 9));
        let length = u32::from_le_bytes(all[at + 17..at + 21].try_into().unwrap()) as usize;
        let Some(bytes) = all.get(at + 21..at + 21 + length) else { break };
        let names = || {
            let (from, to) = bytes.split_at(bytes.iter().position(|b| *b == 0).unwrap());
            (String::from_utf8(from.to_vec()).unwrap(), String::from_utf8(to[1..].to_vec()).unwrap())
        };
        let what = match all[at] {
            1 => {
                let name = String::from_utf8(bytes.to_vec()).unwrap();
                What::Opened { number, name, emptied: place & 1 != 0, is_folder: place & 2 != 0 }
            }
            2 => What::Wrote { number, at: place as usize, bytes: bytes.to_vec() },
            3 => What::Cut { number, length: place as usize },
            4 => What::Flushed { number },
            5 => What::Renamed { from: names().0, to: names().1 },
            6 => What::Linked { from: names().0, to: names().1 },
            7 => What::Unlinked { name: names().0 },
            _ => What::MadeFolder,
        };
        at += 21 + length;
        acts.push(Act { what, end: at as u64 });
    }
    acts
}

#[derive(Clone)]
enum Change {
    Bytes { at: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Default)]
struct File {
    /// What was flushed.
    sure: Vec<u8>,
    /// What was done to it since, in order.
    since: Vec<Change>,
}

#[derive(Clone)]
enum Naming {
    Is(String, usize),
    Gone(String),
    /// In one step.
    Moved(String, String),
}

impl Naming {
    fn folder(&self) -> &str {
        let (Naming::Is(name, _) | Naming::Gone(name) | Naming::Moved(_, name)) = self;
        folder_of(name)
    }

    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Naming::Is(name, file) => drop(names.insert(name.clone(), *file)),
            Naming::Gone(name) => drop(names.remove(name)),
            Naming::Moved(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What is lost of what was not flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Everything,
    Nothing,
    AllAfterAMoment,
    AllBeforeAMoment,
    SomeWrites,
    SomeSectors,
}

impl Loss {
    pub const ALL: [Loss; 6] = [
        Loss::Everything,
        Loss::Nothing,
        Loss::AllAfterAMoment,
        Loss::AllBeforeAMoment,
        Loss::SomeWrites,
        Loss::SomeSectors,
    ];
}

/// Chance that can be repeated.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

#[derive(Default)]
pub struct Disk {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    sure_names: BTreeMap<String, usize>,
    names_since: Vec<Naming>,
    numbers: HashMap<u64, usize>,
    folders: HashMap<u64, String>,
}

impl Disk {
    /// As a folder is before the first act.
    pub fn of(folder: &Path) -> Disk {
        let mut disk = Disk::default();
        disk.take_in(folder, "");
        disk.sure_names = disk.names.clone();
        disk
    }

    fn take_in(&mut self, folder: &Path, below: &str) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let name = format!("{below}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => self.take_in(&entry.path(), &format!("{name}/")),
                kind if kind.is_file() => {
                    let sure = std::fs::read(entry.path()).unwrap();
                    self.names.insert(name, self.files.len());
                    self.files.push(File { sure, since: Vec::new() });
                }
                _ => {}
            }
        }
    }

    pub fn act(&mut self, act: &Act) {
        match &act.what {
            What::Opened { number, name, is_folder: true, .. } => drop(self.folders.insert(*number, name.clone())),
            What::Opened { number, name, emptied, .. } => {
                let file = self.names.get(name).copied().unwrap_or_else(|| {
                    self.files.push(File::default());
                    self.name(Naming::Is(name.clone(), self.files.len() - 1));
                    self.files.len() - 1
                });
                self.folders.remove(number);
                self.numbers.insert(*number, file);
                if *emptied {
                    self.files[file].since.push(Change::Length(0));
                }
            }
            What::Wrote { number, at, bytes } => {
                self.change(*number, Change::Bytes { at: *at, bytes: bytes.clone() });
            }
            What::Cut { number, length } => self.change(*number, Change::Length(*length)),
            What::Flushed { number } => match self.folders.get(number).cloned() {
                Some(folder) => self.flush_names(&folder),
                None => {
                    let file = &mut self.files[self.numbers[number]];
                    std::mem::take(&mut file.since).iter().for_each(|change| make(&mut file.sure, change));
                }
            },
            What::Renamed { from, to } => self.name(Naming::Moved(from.clone(), to.clone())),
            What::Linked { from, to } => self.name(Naming::Is(to.clone(), self.names[from])),
            What::Unlinked { name } => self.name(Naming::Gone(name.clone())),
            What::MadeFolder => {}
        }
    }

    fn change(&mut self, number: u64, change: Change) {
        self.files[self.numbers[&number]].since.push(change);
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.names_since.push(naming);
    }

    fn flush_names(&mut self, folder: &str) {
        for naming in std::mem::take(&mut self.names_since) {
            if naming.folder() == folder {
                naming.apply(&mut self.sure_names);
            } else {
                self.names_since.push(naming);
            }
        }
    }

    /// Writes a folder as it may be found when the power comes back.
    pub fn found(&self, loss: Loss, dice: &mut Dice, to: &Path) {
        let mut names = self.sure_names.clone();
        let kept = match loss {
            Loss::Everything => 0,
            Loss::Nothing => self.names_since.len(),
            _ => dice.below(self.names_since.len() + 1),
        };
        self.names_since[..kept].iter().for_each(|naming| naming.apply(&mut names));
        for (name, file) in names {
            let path = to.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, self.files[file].found(loss, dice)).unwrap();
        }
    }
}

impl File {
    fn found(&self, loss: Loss, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.sure.clone();
        let moment = dice.below(self.since.len() + 1);
        for (n, change) in self.since.iter().enumerate() {
            let stays = match loss {
                Loss::Everything => false,
                Loss::Nothing => true,
                Loss::AllAfterAMoment => n < moment,
                Loss::AllBeforeAMoment => n >= moment,
                Loss::SomeWrites | Loss::SomeSectors => dice.below(2) == 0,
            };
            match change {
                Change::Bytes { at, bytes: written } if loss == Loss::SomeSectors => {
                    for (sector, part) in written.chunks(512).enumerate() {
                        if dice.below(2) == 0 {
                            make(&mut bytes, &Change::Bytes { at: at + 512 * sector, bytes: part.to_vec() });
                        }
                    }
                }
                _ if stays => make(&mut bytes, change),
                _ => {}
            }
        }
        bytes
    }
}

fn make(file: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => file.resize(*length, 0),
        Change::Bytes { at, bytes } => {
            file.resize(file.len().max(at + bytes.len()), 0);
            file[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}
