//! One piece of memory for all tensors of a plan.

use wick_kernels::Element;
use wick_kernels::huge_pages::Lines;

use crate::plan::{Buf, Pass, Plan};

/// Grows to the largest batch and is then used again for every step. What is kept from one evaluation to the next lies at its end.
#[derive(Debug)]
pub(super) struct Arena<E> {
    values: Lines<E>,
}

/// Whether what was kept is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    Same,
    New,
}

/// The tensors of one pass.
#[derive(Debug)]
pub(super) struct Tensors<'a, E> {
    read: Vec<(Buf, &'a [E])>,
    /// What lies behind all tensors.
    pub kept: &'a [E],
    /// The one that is written, if one is.
    pub written: Option<&'a mut [E]>,
}

impl<'a, E> Tensors<'a, E> {
    /// One that the pass reads. (Any other is empty, which no kernel accepts.)
    pub fn get(&self, buf: Buf) -> &'a [E] {
        self.read.iter().find(|(b, _)| *b == buf).map_or(&[], |(_, values)| values)
    }
}

impl<E: Element> Arena<E> {
    pub fn new() -> Self {
        Self { values: Lines::new(E::default(), 0) }
    }

    /// Bytes taken.
    pub fn bytes(&self) -> usize {
        self.values.len() * size_of::<E>()
    }

    /// Makes room for `images` images of a plan, and for so many values behind them.
    pub fn reserve(&mut self, plan: &Plan, images: usize, kept: usize) -> Memory {
        let values = plan.total * images + kept;
        if self.values.len() >= values {
            return Memory::Same;
        }
        // What was there is of no use, and need not be there at the same time.
        self.values = Lines::new(E::default(), 0);
        self.values = Lines::new(E::default(), values);
        Memory::New
    }

    /// The last values, for what is kept.
    pub fn kept(&mut self, len: usize) -> &mut [E] {
        let begin = self.values.len() - len;
        &mut self.values[begin..]
    }

    /// A tensor that the last pass over `images` images left or read.
    pub fn tensor(&self, plan: &Plan, buf: Buf, images: usize) -> &[E] {
        &self.values[plan.offsets[buf] * images..][..plan.sizes[buf].len() * images]
    }

    /// The tensors of a pass over `images` images, and the last `kept` values. A pass's tensors never share memory: they live at the
    /// same time.
    pub fn tensors(&mut self, plan: &Plan, pass: &Pass, images: usize, kept: usize) -> Tensors<'_, E> {
        let written = pass.write.as_ref().map(|write| write.to);
        let mut wanted: Vec<Buf> = pass.reads().into_iter().chain(written).collect();
        wanted.sort_unstable_by_key(|&buf| plan.offsets[buf]);
        let end = self.values.len() - kept;
        let (mut rest, kept) = self.values.split_at_mut(end);
        let mut tensors = Tensors { read: Vec::with_capacity(wanted.len()), written: None, kept };
        let mut passed = 0;
        for buf in wanted {
            let (offset, length) = (plan.offsets[buf] * images, plan.sizes[buf].len() * images);
            let (values, behind) = rest.split_at_mut(offset - passed).1.split_at_mut(length);
            (rest, passed) = (behind, offset + length);
            if Some(buf) == written {
                tensors.written = Some(values);
            } else {
                tensors.read.push((buf, values));
            }
        }
        tensors
    }
}
