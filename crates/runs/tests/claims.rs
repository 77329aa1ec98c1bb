//! Verdicts, the file and the table.

use proptest::prelude::*;
use wick_runs::{Claim, Claims, Kind, Value, Verdict};

fn verdict(kind: Kind, published: impl Into<Value>, measured: impl Into<Value>) -> Verdict {
    Claim::judge("x", kind, published, measured).verdict
}

const POINTS_0_4: Kind = Kind::Within { tolerance: 0.004 };

#[test]
fn exact_means_the_last_bit() {
    assert_eq!(verdict(Kind::Exact, 0.1 + 0.2, 0.1 + 0.2), Verdict::Matches);
    assert_eq!(verdict(Kind::Exact, 0.1 + 0.2, 0.3), Verdict::Differs);
    assert_eq!(verdict(Kind::Exact, 11_173_962_i64, 11_173_962_i64), Verdict::Matches);
    assert_eq!(verdict(Kind::Exact, 11_173_962_i64, 11_173_962.0), Verdict::Matches);
    assert_eq!(verdict(Kind::Exact, i64::MAX, i64::MAX - 1), Verdict::Differs, "where floats are too coarse");
    assert_eq!(verdict(Kind::Exact, f64::NAN, f64::NAN), Verdict::Differs);
}

#[test]
fn within_includes_the_bound_and_no_more() {
    for measured in [0.9222, 0.9182, 0.9262] {
        assert_eq!(verdict(POINTS_0_4, 0.9222, measured), Verdict::Matches, "{measured}");
    }
    for measured in [0.9181, 0.9263, f64::NAN, f64::INFINITY] {
        assert_eq!(verdict(POINTS_0_4, 0.9222, measured), Verdict::Differs, "{measured}");
    }
}

#[test]
fn lists_agree_number_by_number() {
    assert_eq!(verdict(Kind::Exact, vec![1.0, 2.0], vec![1.0, 2.0]), Verdict::Matches);
    assert_eq!(verdict(Kind::Exact, vec![1.0, 2.0], vec![1.0, 2.0 + 1e-15]), Verdict::Differs);
    assert_eq!(verdict(POINTS_0_4, vec![1.0, 2.0], vec![1.0]), Verdict::Differs);
    assert_eq!(verdict(POINTS_0_4, vec![0.5, 0.6], vec![0.503, 0.597]), Verdict::Matches);
}

fn claims() -> Claims {
    let rates = |last| vec![0.001059064382880664, 0.002067832790864593, last];
    let why = "3 epochs instead of 20";
    Claims {
        claims: vec![
            Claim::judge(
                "learning rates",
                Kind::Exact,
                rates(5.09413801481895e-7),
                rates(5.09413801481895e-7),
            ),
            Claim::judge("parameters", Kind::Exact, 11_173_962_i64, 11_173_952_i64),
            Claim::judge("test accuracy", POINTS_0_4, 0.9222, 0.9301).in_percent(),
            Claim::not_comparable("train accuracy", POINTS_0_4, 0.9338, Some(0.61.into()), why).in_percent(),
            Claim::not_comparable("total (MB)", Kind::Exact, 359.66, None, "no summary"),
            Claim::judge("losses", Kind::Within { tolerance: 0.1 }, vec![1.0, 2.0], vec![1.2, f64::NAN]),
            Claim::judge("each class", Kind::Within { tolerance: 0.025 }, vec![0.9, 0.8], vec![0.91, 0.79])
                .in_percent()
                .of(["cat", "dog"].map(str::to_owned)),
            Claim::judge("rate", Kind::Exact, 0.1 + 0.2, 0.3),
        ],
    }
}

#[test]
fn the_table_is_for_people() {
    let table = claims().table();
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = table.lines().map(squeeze).collect();
    assert_eq!(lines[0], "claim published measured within verdict");
    assert_eq!(
        lines[2],
        "learning rates 3 values, 5.094e-7 to 0.002068 3 values, 5.094e-7 to 0.002068 exact matches"
    );
    assert_eq!(lines[3], "parameters 11,173,962 11,173,952 exact differs: by -10");
    assert_eq!(lines[4], "test accuracy 92.22 % 93.01 % ± 0.4 points differs: by +0.79 points");
    assert_eq!(
        lines[5],
        "train accuracy 93.38 % 61.00 % ± 0.4 points not comparable: 3 epochs instead of 20"
    );
    assert_eq!(lines[6], "total (MB) 359.66 - exact not comparable: no summary");
    assert_eq!(lines[7], "losses 2 values, 1 to 2 2 values of 1.2 ± 0.1 differs: by NaN, of value 2");
    assert_eq!(
        lines[8],
        "each class 2 values, 80.00 % to 90.00 % 2 values, 79.00 % to 91.00 % ± 2.5 points matches: furthest by -1.00 \
         points, of dog"
    );
    // What differs is told with the digits that tell it apart.
    assert_eq!(lines[9], "rate 0.30000000000000004 0.3 exact differs: by -5.551e-17");
    assert_eq!(lines[10], "2 match, 4 differ, 2 not comparable");
    let width =
        |line: &str| line.find("verdict").or(line.rfind("matches")).map(|at| line[..at].chars().count());
    assert_eq!(width(table.lines().next().unwrap()), width(table.lines().nth(2).unwrap()), "columns line up");
}

#[test]
fn the_file_reads_back_even_of_a_diverged_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.json");
    let claims = claims();
    claims.write(&path).unwrap();
    let read = Claims::read(&path).unwrap();
    assert_eq!(read.claims[..5], claims.claims[..5]);
    assert!(matches!(&read.claims[5].measured, Some(Value::Numbers(n)) if n[0] == 1.2 && n[1].is_nan()));
    let json: serde_json::Value = wick_runs::read_json(&path).unwrap();
    assert_eq!(json[1]["published"], serde_json::json!(11_173_962));
    assert_eq!(json[2]["kind"], serde_json::json!({"within": {"tolerance": 0.004}}));
    assert_eq!(json[3]["verdict"], serde_json::json!({"not_comparable": {"why": "3 epochs instead of 20"}}));
}

#[test]
fn a_value_that_is_no_number_is_an_error() {
    for bad in ["\"fast\"", "[[1]]", "[\"x\"]", "true", "null"] {
        assert!(serde_json::from_str::<Value>(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn numbers_round_trip_to_the_last_bit(bits: u64) {
        let number = f64::from_bits(bits);
        let read: Value = serde_json::from_str(&serde_json::to_string(&Value::Number(number)).unwrap()).unwrap();
        let Value::Number(read) = read else { panic!("{read:?}") };
        prop_assert!(read.to_bits() == bits || (read.is_nan() && number.is_nan()));
    }
}
