//! Where each tensor lies: tensors that are never needed at the same time may share memory.

use super::{Buf, Pass, Size};

/// Every tensor's place.
pub(super) struct Layout {
    pub offsets: Vec<usize>,
    pub total: usize,
}

/// Places begin at multiples of this many values, 64 bytes at least.
const ALIGNMENT: usize = 32;

/// Places tensors by size, the largest first, each at the lowest offset where it meets none that lives at the same time.
/// One of them is kept to the end, if it is named.
pub(super) fn layout<'a>(
    passes: impl Iterator<Item = &'a Pass>,
    sizes: &[Size],
    kept: Option<Buf>,
) -> Layout {
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; sizes.len()];
    for (time, pass) in passes.enumerate() {
        let written = pass.write.as_ref().map(|write| write.to);
        for buf in pass.reads().into_iter().chain(written) {
            let (_, end) = lives[buf].get_or_insert((time, time));
            *end = time;
        }
    }
    if let Some((_, end)) = kept.and_then(|buf| lives[buf].as_mut()) {
        *end = usize::MAX;
    }
    let room = |buf: usize| sizes[buf].len().next_multiple_of(ALIGNMENT);
    let mut order: Vec<usize> = (0..sizes.len()).filter(|&buf| lives[buf].is_some()).collect();
    order.sort_by_key(|&buf| (std::cmp::Reverse(room(buf)), lives[buf], buf));
    let mut offsets = vec![0; sizes.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for buf in order {
        let meets = |other: &usize| match (lives[buf], lives[*other]) {
            (Some((from, to)), Some((begin, end))) => from <= end && begin <= to,
            _ => false,
        };
        let mut taken: Vec<(usize, usize)> =
            placed.iter().filter(|other| meets(other)).map(|&o| (offsets[o], offsets[o] + room(o))).collect();
        taken.sort_unstable();
        let mut offset = 0;
        for (begin, end) in taken {
            if offset + room(buf) <= begin {
                break;
            }
            offset = offset.max(end);
        }
        offsets[buf] = offset;
        total = total.max(offset + room(buf));
        placed.push(buf);
    }
    Layout { offsets, total }
}
