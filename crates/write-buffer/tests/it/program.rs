//! Arbitrary steps of the programs that the model runs.

use quickcheck::{Arbitrary, Gen};

use crate::cursors::{Bounds, LARGEST, Move, Walk};

/// A record of a batch: a deletion, or a value of so many bytes.
pub(crate) type Record = (Vec<u8>, Option<usize>);

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Write(Vec<Record>, bool),
    Put(Record),
    Freeze,
    Flush,
    FlushInVain,
    BeginFlush,
    EndFlush(End),
    Snapshot,
    CloneSnapshot(usize),
    DropSnapshot(usize),
    KeepView(u64),
    ReadView(usize),
    DropView(usize),
    KeepCursor(usize, bool, Bounds),
    Move(usize, Vec<Move>),
    Get(Vec<Vec<u8>>, u64),
    Walk(Walk),
    /// The next append, or creation of a log, fails.
    FailAppend,
    FailCreate,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Finish,
    Fail,
    Drop,
}

fn user_key(g: &mut Gen) -> Vec<u8> {
    match u8::arbitrary(g) % 4 {
        // Has so many versions that some are passed by seeking.
        0 => b"a".to_vec(),
        _ => (0..u8::arbitrary(g) % 3)
            .map(|_| *g.choose(b"\0ab\xff").unwrap())
            .collect(),
    }
}

fn record(g: &mut Gen) -> Record {
    let bytes = match u8::arbitrary(g) % 32 {
        0 => 16_000,
        1 => 66_000,
        bytes => usize::from(bytes),
    };
    (user_key(g), (u8::arbitrary(g) % 4 != 0).then_some(bytes))
}

fn several<T>(g: &mut Gen, mut one: impl FnMut(&mut Gen) -> T) -> Vec<T> {
    (0..u8::arbitrary(g) % 6).map(|_| one(g)).collect()
}

/// Of [`LARGEST`]; scaled to the sequence numbers there are.
fn moment(g: &mut Gen) -> u64 {
    u64::arbitrary(g) % (LARGEST + 1)
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let which = usize::arbitrary(g);
        match u8::arbitrary(g) % 43 {
            0..8 => Self::Write(several(g, record), bool::arbitrary(g)),
            8..12 => Self::Put(record(g)),
            12 | 13 => Self::Freeze,
            14 => Self::FlushInVain,
            15 | 16 => Self::BeginFlush,
            17 => Self::EndFlush(End::Finish),
            18 => Self::EndFlush(*g.choose(&[End::Fail, End::Drop]).unwrap()),
            19 => Self::Snapshot,
            20 => Self::CloneSnapshot(which),
            21 => Self::DropSnapshot(which),
            22 => Self::KeepView(moment(g)),
            23 | 24 => Self::ReadView(which),
            25 => Self::DropView(which),
            26 => Self::KeepCursor(which, bool::arbitrary(g), Walk::arbitrary(g).bounds),
            27..32 => Self::Move(which, several(g, Move::arbitrary)),
            32..35 => Self::Get(several(g, user_key), moment(g)),
            35..38 => Self::Walk(Walk::arbitrary(g)),
            38 => Self::FailAppend,
            39 => Self::FailCreate,
            _ => Self::Flush,
        }
    }
}
