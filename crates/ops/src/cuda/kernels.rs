//! The text of all kernels, and over how many blocks their sums are spread. Nothing here needs a device.

/// CUDA C++, to be compiled as one.
pub(crate) const TEXT: &str = concat!(
    include_str!("elementwise.cu"),
    include_str!("norm.cu"),
    include_str!("pool.cu"),
    include_str!("loss.cu"),
);

/// Channels and rows of the blocks that sum along the rows of channels.
pub(crate) const SUMMING: [usize; 2] = [32, 8];
/// Threads of the blocks that sum over an image's group.
pub(crate) const GROUP_THREADS: usize = 256;
/// Threads of the blocks that compute an image's loss.
pub(crate) const LOSS_THREADS: usize = 128;

/// Into how many blocks the rows of each channel of each of `splits` parts of a batch are cut: enough of them to occupy a GPU, few enough
/// for one thread a channel to add up, and none with less than a few rows a thread.
pub(crate) fn parts(rows: usize, channels: usize, splits: usize) -> usize {
    /// Some two to four a multiprocessor.
    const BLOCKS: usize = 512;
    const MOST: usize = 128;
    const ROWS_A_THREAD: usize = 8;
    let beside = channels.div_ceil(SUMMING[0]).max(1) * splits.max(1);
    let useful = rows.div_ceil(splits.max(1)).div_ceil(SUMMING[1] * ROWS_A_THREAD);
    (BLOCKS / beside).min(MOST).min(useful).max(1)
}
