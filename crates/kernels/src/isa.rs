//! Which instruction set the hand-scheduled loops are compiled for, chosen once at run time.

use std::ffi::OsStr;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::simd::{Baseline, Simd};

/// A set of vector instructions. (The fully connected layer's products choose theirs themselves.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum InstructionSet {
    /// What every CPU of the target has: SSE2 on x86-64, NEON on AArch64.
    Baseline = 1,
    /// AVX2 and FMA, 8 floats at a time.
    Avx2 = 2,
    /// AVX-512 F, BW, DQ and VL, 16 floats at a time.
    Avx512 = 3,
    /// The same and bf16, 32 products at a time.
    Avx512Bf16 = 4,
}

impl InstructionSet {
    /// All sets that this CPU has, slowest first.
    pub fn available() -> Vec<Self> {
        let mut sets = vec![Self::Baseline];
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 {
                sets.push(Self::Avx2);
            }
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                sets.push(Self::Avx512);
                if is_x86_feature_detected!("avx512bf16") {
                    sets.push(Self::Avx512Bf16);
                }
            }
        }
        sets
    }

    /// The set to begin with: the one that the environment variable `WICK_ISA` names (`baseline`, `avx2`, `avx512` or
    /// `avx512bf16`), or the fastest available if it is not set or empty.
    ///
    /// # Errors
    /// `WICK_ISA` names anything else, or a set that this CPU does not have.
    pub fn from_environment() -> Result<Self, InstructionSetError> {
        Self::named(std::env::var_os("WICK_ISA").as_deref(), &Self::available())
    }

    fn named(wanted: Option<&OsStr>, available: &[Self]) -> Result<Self, InstructionSetError> {
        match wanted.filter(|name| !name.is_empty()) {
            None => Ok(available.last().copied().unwrap_or(Self::Baseline)),
            Some(name) => available.iter().find(|set| name == set.name()).copied().ok_or_else(|| {
                let available = available.iter().map(|set| set.name()).collect();
                InstructionSetError { asked: name.to_string_lossy().into_owned(), available }
            }),
        }
    }

    /// The set in use: that [`from_environment`](Self::from_environment), unless [`select`](Self::select) was called. Where the
    /// environment asks for what is not there, it is the fastest, and standard error says so once: programs that would
    /// rather refuse ask [`from_environment`](Self::from_environment) first.
    pub fn current() -> Self {
        match CURRENT.load(Ordering::Relaxed) {
            1 => Self::Baseline,
            2 => Self::Avx2,
            3 => Self::Avx512,
            4 => Self::Avx512Bf16,
            _ => Self::first(),
        }
    }

    /// [`current`](Self::current) as long as no set was selected.
    #[cold]
    fn first() -> Self {
        static FIRST: OnceLock<InstructionSet> = OnceLock::new();
        let set = *FIRST.get_or_init(|| {
            Self::from_environment().unwrap_or_else(|error| {
                let fastest = Self::available().last().copied().unwrap_or(Self::Baseline);
                // Kernels ask in the middle of their work: there is nobody to return it to.
                let _ = writeln!(std::io::stderr(), "{error}; using {}", fastest.name());
                fastest
            })
        });
        // Unless one was selected meanwhile.
        let _ = CURRENT.compare_exchange(0, set as u8, Ordering::Relaxed, Ordering::Relaxed);
        set
    }

    /// Uses `self` from now on, in all threads. `false`, and nothing happens, if the CPU does not have it.
    pub fn select(self) -> bool {
        let available = Self::available().contains(&self);
        if available {
            CURRENT.store(self as u8, Ordering::Relaxed);
        }
        available
    }

    /// The name that `WICK_ISA` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512bf16",
        }
    }
}

/// `WICK_ISA` names no instruction set that this machine has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("WICK_ISA is `{asked}`, expected one that this machine has: {}", available.join(", "))]
pub struct InstructionSetError {
    /// What it names.
    pub asked: String,
    /// What it may name here.
    pub available: Vec<&'static str>,
}

/// 0 until the first question. Only ever holds a set that the CPU was found to have.
static CURRENT: AtomicU8 = AtomicU8::new(0);

/// Compiles a function once per instruction set and calls the one in use. The loops in it are vectorised by the
/// compiler, so one source serves all sets.
macro_rules! multiversion {
    () => {};
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)? $body:block
        $($rest:tt)*
    ) => {
        $(#[$meta])*
        #[allow(unsafe_code)]
        $vis fn $name($($arg: $type),*) $(-> $ret)? {
            #[inline(always)]
            fn generic($($arg: $type),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512($($arg: $type),*) $(-> $ret)? {
                generic($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) $(-> $ret)? {
                generic($($arg),*)
            }
            match $crate::isa::InstructionSet::current() {
                #[cfg(target_arch = "x86_64")]
                $crate::isa::InstructionSet::Avx512 | $crate::isa::InstructionSet::Avx512Bf16 => {
                    // SAFETY: `current` is only ever a set whose features the CPU was found to have.
                    unsafe { avx512($($arg),*) }
                }
                #[cfg(target_arch = "x86_64")]
                $crate::isa::InstructionSet::Avx2 => {
                    // SAFETY: as above.
                    unsafe { avx2($($arg),*) }
                }
                _ => generic($($arg),*),
            }
        }
        $crate::isa::multiversion! { $($rest)* }
    };
}
pub(crate) use multiversion;

/// Arguments of a loop that is written once for all instruction sets and types.
pub(crate) trait Kernel: Sized {
    /// What it gives.
    type Output;
    /// Whether it has any use for bf16 instructions: code that has not is not compiled for them once more.
    const BF16: bool;

    /// The loop; `#[inline(always)]`, like everything it calls that takes an `S`, since only what is inlined into the functions
    /// below is compiled for their instructions.
    fn run<S: Simd>(self, s: S) -> Self::Output;

    // Methods, and not functions beside `dispatch`, so that each is compiled with its kernel's module: the modules are compiled
    // beside each other, what is generic in one of them is not.

    /// # Safety
    /// The CPU has AVX-512 F, BW, DQ, VL and BF16.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    #[allow(unsafe_code)]
    unsafe fn by_avx512bf16(self) -> Self::Output {
        // SAFETY: the caller's promise.
        self.run(unsafe { Avx512::<true>::new() })
    }

    /// # Safety
    /// The CPU has AVX-512 F, BW, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    #[allow(unsafe_code)]
    unsafe fn by_avx512(self) -> Self::Output {
        // SAFETY: the caller's promise.
        self.run(unsafe { Avx512::<false>::new() })
    }

    /// # Safety
    /// The CPU has AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    #[allow(unsafe_code)]
    unsafe fn by_avx2(self) -> Self::Output {
        // SAFETY: the caller's promise.
        self.run(unsafe { Avx2::new() })
    }
}

/// Runs `kernel` by the instruction set in use.
#[allow(unsafe_code)]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    match InstructionSet::current() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `current` is only ever a set whose features the CPU was found to have.
        InstructionSet::Avx512Bf16 if K::BF16 => unsafe { kernel.by_avx512bf16() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        InstructionSet::Avx512 | InstructionSet::Avx512Bf16 => unsafe { kernel.by_avx512() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        InstructionSet::Avx2 => unsafe { kernel.by_avx2() },
        _ => kernel.run(Baseline),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_a_set_that_is_there_or_is_refused() {
        use InstructionSet::{Avx2, Baseline};
        let here = [Baseline, Avx2];
        let named = |name: &str| InstructionSet::named(Some(name.as_ref()), &here);
        assert_eq!(InstructionSet::named(None, &here), Ok(Avx2));
        assert_eq!(named(""), Ok(Avx2));
        assert_eq!((named("baseline"), named("avx2")), (Ok(Baseline), Ok(Avx2)));
        for other in ["avx512", "AVX2", "sse9"] {
            let error = named(other).unwrap_err();
            let want = format!("WICK_ISA is `{other}`, expected one that this machine has: baseline, avx2");
            assert_eq!(error.to_string(), want);
        }
    }
}
