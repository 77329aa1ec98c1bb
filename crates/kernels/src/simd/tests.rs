//! Every available set against plain Rust.
#![allow(unsafe_code)]

use half::bf16;

use super::*;
use crate::element::Element;
use crate::isa::InstructionSet;

type Scalar = fn(f32, f32) -> f32;

/// Small whole numbers: every operation is exact.
fn check<S: Simd>(s: S) {
    let a: [f32; 16] = std::array::from_fn(|i| i as f32 - 4.0);
    let b: [f32; 16] = std::array::from_fn(|i| (i * i) as f32);
    let (x, y) = (s.load(&a), s.load(&b));
    let whole = [-126., -125., -99., -64., -23., -2., -1., 0., 1., 2., 3., 24., 64., 125., 126., 127.];
    let mut powers = [f32::NAN; 16];
    s.store(s.power_of_two(s.add(s.load(&whole), s.splat(12_582_912.0))), &mut powers);
    assert_eq!(powers, whole.map(f32::exp2));
    let results: [(S::Lanes, Scalar); 10] = [
        (s.add(x, y), |a, b| a + b),
        (s.sub(x, y), |a, b| a - b),
        (s.mul(x, y), |a, b| a * b),
        (s.div(y, s.splat(4.0)), |_, b| b / 4.0),
        (s.mul_add(x, y, x), |a, b| a * b + a),
        (s.scaled(3.0, x), |a, _| 3.0 * a),
        (s.scaled_add(3.0, x, y), |a, b| 3.0 * a + b),
        (s.splat(7.0), |_, _| 7.0),
        (s.max(x, y), f32::max),
        (s.where_positive(x, y), |a, b| if a > 0.0 { b } else { 0.0 }),
    ];
    for (got, want) in results {
        let mut values = [f32::NAN; 16];
        s.store(got, &mut values);
        assert_eq!(values, std::array::from_fn(|i| want(a[i], b[i])));
    }

    // Choices, also of what is not a number.
    let odd: [f32; 16] = std::array::from_fn(|i| [0.0, f32::NAN, 1.0, f32::NEG_INFINITY][i % 4]);
    let (strange, then, otherwise) = (s.load(&odd), s.splat(1.0), s.splat(2.0));
    let choice =
        |larger: fn(f32, f32) -> bool| std::array::from_fn(|i| if larger(odd[i], a[i]) { 1.0 } else { 2.0 });
    let choices = [
        (s.where_larger_or_nan(strange, x, then, otherwise), choice(|odd, a| odd > a || odd.is_nan())),
        // Nothing is larger than NaN but another.
        (s.where_larger_or_nan(x, s.splat(f32::NAN), then, otherwise), [2.0; 16]),
        (s.where_equal(x, s.splat(3.0), y), std::array::from_fn(|i| if a[i] == 3.0 { b[i] } else { 0.0 })),
        (s.where_equal(strange, strange, then), std::array::from_fn(|i| f32::from(!odd[i].is_nan()))),
    ];
    for (got, want) in choices {
        let mut values = [f32::NAN; 16];
        s.store(got, &mut values);
        assert_eq!(values, want);
    }

    // Values and halfway cases of rounding.
    let fine: [f32; 16] = std::array::from_fn(|i| 1.0 + i as f32 / 256.0 + (i / 8) as f32 * 1e-6);
    let (x, y) = (s.load(&fine), s.load(&a));
    let round = |v: [f32; 16]| v.map(<bf16 as Element>::from_f32);
    let mut narrow = [bf16::ZERO; 16];
    s.store_bf16(x, &mut narrow);
    assert_eq!(narrow, round(fine));
    s.store_bf16(s.splat(f32::NAN), &mut narrow);
    assert!(narrow.iter().all(|v| v.is_nan()));
    let mut values = [0.0; 16];
    s.store(s.load_bf16(&round(fine)), &mut values);
    assert_eq!(values, round(fine).map(Element::to_f32));
    let mut pairs = [bf16::ZERO; 32];
    s.store_pairs(x, y, &mut pairs);
    let bits = |v: bf16| u32::from(v.to_bits());
    assert_eq!(pairs, std::array::from_fn(|i| if i % 2 == 0 { round(fine)[i / 2] } else { round(a)[i / 2] }));
    // 3·x + 5·y + y: exact in f32 for the rounded values.
    let factor = bits(bf16::from_f32(3.0)) | bits(bf16::from_f32(5.0)) << 16;
    s.store(s.dot(y, s.splat_pair(factor), s.load_pairs(&pairs)), &mut values);
    assert_eq!(values, std::array::from_fn(|i| 3.0 * Element::to_f32(round(fine)[i]) + 6.0 * a[i]));

    let mut lines = [f32::NAN; 64];
    let line = lines.as_ptr().align_offset(64).min(16);
    for begin in [line, line + 16, line + 3] {
        let to = lines[begin..].first_chunk_mut().unwrap();
        // SAFETY: no other thread is told of it.
        unsafe { s.stream(s.load(&a), to) };
        s.end_streaming();
        assert_eq!(*to, a);
    }

    for n in 0..=16 {
        let first = |v: f32, i: usize| if i < n { v } else { 0.0 };
        let mut some = vec![7.0; n];
        s.store_first(s.load_first(&a[..n]), &mut some);
        assert_eq!(some, &a[..n]);
        s.store(s.load_first(&a[..n]), &mut values);
        assert_eq!(values, std::array::from_fn(|i| first(a[i], i)));
        let bytes: [u8; 16] = std::array::from_fn(|i| (17 * i) as u8); // to 255
        let mut some = vec![7; n];
        s.store_first_bytes(s.load_first_bytes(&bytes[..n]), &mut some);
        assert_eq!(some, &bytes[..n]);
        s.store(s.load_first_bytes(&bytes[..n]), &mut values);
        assert_eq!(values, std::array::from_fn(|i| first(f32::from(bytes[i]), i)));
        let mut some = vec![bf16::ONE; n];
        s.store_first_bf16(s.load_first_bf16(&round(a)[..n]), &mut some);
        assert_eq!(some, &round(a)[..n]);
        s.store(s.load_first_bf16(&round(a)[..n]), &mut values);
        assert_eq!(values, std::array::from_fn(|i| first(a[i], i)));
    }

    let x = s.load(&a);
    let mut rows = [x; 16];
    for (i, row) in rows.iter_mut().enumerate() {
        *row = s.load(&std::array::from_fn(|j| (16 * i + j) as f32));
    }
    for (j, column) in s.transpose(&rows).into_iter().enumerate() {
        let mut values = [f32::NAN; 16];
        s.store(column, &mut values);
        assert_eq!(values, std::array::from_fn(|i| (16 * i + j) as f32));
    }
}

#[test]
fn every_available_set_computes_the_same() {
    check(Baseline);
    #[cfg(target_arch = "x86_64")]
    for set in InstructionSet::available() {
        match set {
            InstructionSet::Baseline => {}
            // SAFETY: the CPU was found to have it.
            InstructionSet::Avx2 => check(unsafe { Avx2::new() }),
            // SAFETY: as above.
            InstructionSet::Avx512 => check(unsafe { Avx512::<false>::new() }),
            // SAFETY: as above.
            InstructionSet::Avx512Bf16 => check(unsafe { Avx512::<true>::new() }),
        }
    }
}
