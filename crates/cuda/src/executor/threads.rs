//! How a pass over a map is divided among threads.

/// How a pass is divided: a block has `rows` rows of `lanes` threads, each with `width` channels of a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Threads {
    pub width: usize,
    pub lanes: usize,
    pub rows: usize,
    /// Pixels of a block.
    pub chunk: usize,
    /// Blocks an image.
    pub parts: usize,
    /// Blocks side by side, where there are too many channels for one.
    pub tiles: usize,
}

/// Threads a block.
pub(super) const THREADS: usize = 256;

impl Threads {
    pub fn of(pixels: usize, channels: usize) -> Self {
        /// Pixels that a thread goes through.
        const DEPTH: usize = 8;
        let width = [8, 4, 2].into_iter().find(|width| channels.is_multiple_of(*width)).unwrap_or(1);
        let lanes = (channels / width).min(THREADS);
        let rows = THREADS / lanes;
        let parts = pixels.div_ceil(rows * DEPTH);
        let chunk = pixels.div_ceil(parts);
        Self { width, lanes, rows, chunk, parts, tiles: channels.div_ceil(lanes * width) }
    }

    /// What a kernel goes through, pixel and channel.
    #[cfg(test)]
    pub fn each(self, pixels: usize, channels: usize, mut f: impl FnMut(usize, usize)) {
        let blocks = (0..self.parts).flat_map(|part| (0..self.tiles).map(move |tile| (part, tile)));
        for ((part, tile), thread) in blocks.flat_map(|block| (0..THREADS).map(move |thread| (block, thread)))
        {
            let (lane, row) = (thread % self.lanes, thread / self.lanes);
            let c = (tile * self.lanes + lane) * self.width;
            if row < self.rows && c < channels {
                let end = pixels.min((part + 1) * self.chunk);
                for pixel in (part * self.chunk + row..end).step_by(self.rows) {
                    (c..c + self.width).for_each(|channel| f(pixel, channel));
                }
            }
        }
    }
}
