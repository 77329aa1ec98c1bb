//! Which instruction set the hand-scheduled loops are compiled for, chosen once at run time.

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

    /// The set in use: the fastest one available, unless the environment variable `WICK_ISA` (`baseline`, `avx2`,
    /// `avx512` or `avx512bf16`) names another available one, or [`select`](Self::select) was called.
    pub fn current() -> Self {
        match CURRENT.load(Ordering::Relaxed) {
            1 => Self::Baseline,
            2 => Self::Avx2,
            3 => Self::Avx512,
            4 => Self::Avx512Bf16,
            _ => {
                let available = Self::available();
                let wanted = std::env::var("WICK_ISA").ok();
                let named = available.iter().find(|set| wanted.as_deref() == Some(set.name()));
                let set = named.or(available.last()).copied().unwrap_or(Self::Baseline);
                CURRENT.store(set as u8, Ordering::Relaxed);
                set
            }
        }
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
pub(crate) trait Kernel {
    /// What it gives.
    type Output;
    /// Whether it has any use for bf16 instructions: code that has not is not compiled for them once more.
    const BF16: bool;

    /// The loop; `#[inline(always)]`, like everything it calls that takes an `S`, since only what is inlined into
    /// [`dispatch`]'s functions is compiled for their instructions.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// Runs `kernel` by the instruction set in use.
#[allow(unsafe_code)]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    fn avx512bf16<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: this function is only called where the CPU has its features.
        kernel.run(unsafe { Avx512::<true>::new() })
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    fn avx512<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: as above.
        kernel.run(unsafe { Avx512::<false>::new() })
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn avx2<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: as above.
        kernel.run(unsafe { Avx2::new() })
    }
    match InstructionSet::current() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `current` is only ever a set whose features the CPU was found to have.
        InstructionSet::Avx512Bf16 if K::BF16 => unsafe { avx512bf16(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        InstructionSet::Avx512 | InstructionSet::Avx512Bf16 => unsafe { avx512(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        InstructionSet::Avx2 => unsafe { avx2(kernel) },
        _ => kernel.run(Baseline),
    }
}
