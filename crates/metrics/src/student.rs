//! Student's t distribution.

use std::f64::consts::PI;

use crate::MetricsError;

/// The probability that a t-distributed value is at most `t`, with `freedom` degrees of freedom (1 or more, not
/// necessarily whole). For up to a thousand, the smaller tail's relative error is below 1e-11.
///
/// By the regularised incomplete beta function: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.7.1 and 26.5.27.
///
/// # Errors
/// A `t` that is no number, or degrees of freedom below 1 or not finite.
pub fn student_t_cdf(t: f64, freedom: f64) -> Result<f64, MetricsError> {
    check(freedom)?;
    if t.is_nan() {
        return Err(MetricsError::Option { what: "t", expected: "a number", got: t });
    }
    let upper = upper_tail(t.abs(), freedom);
    Ok(if t > 0.0 { 1.0 - upper } else { upper })
}

/// The `t` that a t-distributed value is at most with probability `probability` (between 0 and 1, exclusive): 2.776 for 0.975
/// and 4 degrees of freedom. Its tail is met to a relative 1e-11.
///
/// # Errors
/// A probability or degrees of freedom out of range.
pub fn student_t_quantile(probability: f64, freedom: f64) -> Result<f64, MetricsError> {
    check(freedom)?;
    if !(probability > 0.0 && probability < 1.0) {
        return Err(MetricsError::Option {
            what: "the probability",
            expected: "between 0 and 1",
            got: probability,
        });
    }
    if probability == 0.5 {
        return Ok(0.0);
    }
    // The upper tail decides: find t >= 0 with the smaller of both tails above it.
    let tail = probability.min(1.0 - probability);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while upper_tail(high, freedom) > tail && high < f64::MAX / 4.0 {
        (low, high) = (high, 2.0 * high);
    }
    // Halving until no number lies between.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if upper_tail(middle, freedom) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(if probability < 0.5 { -high } else { high })
}

fn check(freedom: f64) -> Result<(), MetricsError> {
    if freedom >= 1.0 && freedom.is_finite() {
        Ok(())
    } else {
        Err(MetricsError::Option { what: "the degrees of freedom", expected: "1 or more", got: freedom })
    }
}

/// P(T > t) for t ≥ 0: half of I(freedom / (freedom + t²); freedom / 2, 1 / 2).
fn upper_tail(t: f64, freedom: f64) -> f64 {
    let ratio = t / freedom.sqrt();
    let squared = ratio * ratio;
    // x and 1 − x, each without subtracting, so that neither loses digits.
    let (x, rest) = if squared.is_finite() {
        (1.0 / (1.0 + squared), squared / (1.0 + squared))
    } else {
        return 0.0;
    };
    0.5 * incomplete_beta(x, rest, freedom / 2.0, 0.5)
}

/// I(x; a, b), the regularised incomplete beta function, with `rest` = 1 − x. By its continued fraction, where that
/// converges fast, else by I(x; a, b) = 1 − I(1 − x; b, a) (26.5.2).
fn incomplete_beta(x: f64, rest: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || rest <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = (log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * x.ln() + b * rest.ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(rest, b, a) / b
    }
}

/// The continued fraction of 26.5.8, evaluated by Lentz's method.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    /// In place of a 0 that would be divided by.
    const TINY: f64 = 1e-300;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    // Converges within O(√max(a, b)) terms; the bound only makes the loop's end certain.
    for k in 1..100_000 {
        let m = f64::from(k);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / guard(1.0 + coefficient * d);
            c = guard(1.0 + coefficient / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

/// ln Γ(z) for z > 0, by Stirling's series (6.1.41) after raising z above 15 with Γ(z + 1) = z Γ(z).
fn log_gamma(z: f64) -> f64 {
    let mut z = z;
    let mut product = 1.0;
    while z < 15.0 {
        product *= z;
        z += 1.0;
    }
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    let series = inverse
        * (1.0 / 12.0
            - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
    (z - 0.5) * z.ln() - z + 0.5 * (2.0 * PI).ln() + series - product.ln()
}
