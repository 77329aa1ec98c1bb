//! What several ops' tests share.

#[path = "../../../fixtures/golden/golden.rs"]
pub(crate) mod golden;

pub(crate) use golden::{assert_close, uniform};

/// The case `name` of the layers' reference values.
pub(crate) fn golden_layer(name: &str) -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_str(&golden::read("layers.json")).unwrap();
    all[name].clone()
}

/// A list of numbers in a case.
pub(crate) fn values(case: &serde_json::Value, key: &str) -> Vec<f32> {
    case[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

/// Asserts that `f` returns the same bits on one, two and three threads.
pub(crate) fn assert_same_on_any_threads(what: &str, f: impl Fn() -> Vec<f32> + Sync) {
    let bits = |threads: usize| -> Vec<u32> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&f).iter().map(|v| v.to_bits()).collect()
    };
    let one = bits(1);
    for threads in [2, 3] {
        assert!(one == bits(threads), "{what}: {threads} threads give other bits than one");
    }
}

/// The central differences of `f` at `x`: `(f(x + step·e_i) − f(x − step·e_i)) / 2·step` for each i.
pub(crate) fn central_differences(x: &[f32], step: f32, f: impl Fn(&[f32]) -> f32) -> Vec<f32> {
    (0..x.len())
        .map(|i| {
            let mut moved = x.to_vec();
            moved[i] = x[i] + step;
            let up = f(&moved);
            moved[i] = x[i] - step;
            (up - f(&moved)) / (2.0 * step)
        })
        .collect()
}
