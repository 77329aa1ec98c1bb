//! Keeping freed memory for the next step.

/// Whether the allocator could be told to keep pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRetention {
    /// Freed blocks stay mapped and are used again.
    Kept,
    /// This platform's allocator is left as it is.
    Unsupported,
}

/// Tells the C library's allocator to keep what is freed instead of giving it back to the system.
///
/// A training step allocates and frees the same large activations again and again. By default glibc maps each afresh,
/// and the page faults cost more than the arithmetic. Call it once, at the start of a program, before threads exist;
/// the price is that memory stays at its peak. Does nothing elsewhere than on Linux with glibc.
pub fn retain_pages() -> PageRetention {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // 1 GiB: above any activation of a CIFAR network, below mallopt's limit of an `int`.
        const THRESHOLD: libc::c_int = 1 << 30;
        // SAFETY: `mallopt` sets parameters of the allocator under its own lock; any value is allowed.
        let set = unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, THRESHOLD) == 1
                && libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX) == 1
                && libc::mallopt(libc::M_TOP_PAD, 64 << 20) == 1
        };
        if set { PageRetention::Kept } else { PageRetention::Unsupported }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    PageRetention::Unsupported
}
