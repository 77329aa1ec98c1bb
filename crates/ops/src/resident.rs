//! How much memory this process has held.

/// The most memory, in bytes, that this process ever held in physical pages; `None` where the system does not tell.
///
/// On Linux this is `VmHWM` of `/proc/self/status`, which starts anew with each program, where `getrusage`'s figure
/// (used elsewhere) is handed on from the process that started it.
pub fn peak_resident_bytes() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        high_water_mark(&std::fs::read_to_string("/proc/self/status").ok()?)
    }
    #[cfg(all(unix, not(target_os = "linux")))]
    {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: `getrusage` writes a `rusage` to the place it is given; all zeros are a valid one before that.
        let usage = unsafe {
            if libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) != 0 {
                return None;
            }
            usage.assume_init()
        };
        // Apple's systems count bytes, the others kibibytes.
        let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
        u64::try_from(usage.ru_maxrss).ok().map(|n| n * unit)
    }
    #[cfg(not(unix))]
    None
}

#[cfg(any(target_os = "linux", test))]
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read() {
        let status = "Name:\tpipeline\nVmPeak:\t  500 kB\nVmHWM:\t   128 kB\nVmRSS:\t 64 kB\n";
        assert_eq!(high_water_mark(status), Some(128 * 1024));
        for other in ["", "VmHWM:", "VmHWM: many kB", "VmRSS: 64 kB"] {
            assert_eq!(high_water_mark(other), None, "{other:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn memory_in_use_counts() {
        let block = vec![1_u8; 64 << 20];
        let peak = peak_resident_bytes().unwrap();
        assert!(peak >= std::hint::black_box(&block).len() as u64, "{peak}");
    }
}
