//! Reading, writing, appending and cutting CSV files.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;
use wick_runs::{
    CamIndexRow, CamSmoothing, CamStatus, ConfusionTable, Cut, EpochRow, LrFinderRow, NormRow, PerClassRow,
    PredictionRow, Predictions, Row, RunsError, StepRow, TimingRow, append_rows, cut_rows_after, read_rows,
    write_rows,
};

fn scratch() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    (folder, path)
}

fn epoch(epoch: u64) -> EpochRow {
    EpochRow {
        epoch,
        lr: 0.1 / epoch as f64,
        momentum: 0.9,
        train_loss: 1.0 / 3.0,
        train_accuracy: 0.5,
        test_loss: 2.0f64.sqrt(),
        test_accuracy: 0.25,
    }
}

fn norm(epoch: u64, gradient_norm: Option<f64>) -> NormRow {
    NormRow { epoch, step: 9 * epoch, parameter: "conv1.weight".into(), weight_norm: 1.5, gradient_norm }
}

fn step(step: u64) -> StepRow {
    StepRow { step, epoch: step / 10 + 1, lr: 1e-5, loss: 2.5 }
}

#[test]
fn the_file_is_plain_csv() {
    let (_folder, path) = scratch();
    write_rows(&path, &[epoch(1)]).unwrap();
    let expected = "epoch,lr,momentum,train_loss,train_accuracy,test_loss,test_accuracy\n\
        1,0.1,0.9,0.3333333333333333,0.5,1.4142135623730951,0.25\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn every_record_reads_back() {
    let (_folder, path) = scratch();
    let path = path.as_path();
    round_trip(path, &[epoch(1), epoch(2)]);
    round_trip(path, &[TimingRow { epoch: 1, seconds: 12.5, images_per_second: 97.3 }]);
    round_trip(path, &[step(1), step(2)]);
    round_trip(path, &[norm(1, Some(0.1)), norm(1, None)]);
    // An epoch has many rows, which stay or go together.
    append_rows(path, &[norm(2, None), norm(2, None)]).unwrap();
    assert_eq!(cut_rows_after::<NormRow>(path, 1).unwrap(), Cut { kept: 2, cut: 2 });
    let expected =
        "epoch,step,parameter,weight_norm,gradient_norm\n1,9,conv1.weight,1.5,0.1\n1,9,conv1.weight,1.5,\n";
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
    round_trip(path, &[LrFinderRow { step: 0, lr: 1e-5, loss: 2.25, smoothed: 2.3 }]);
    let class =
        |name: &str| PerClassRow { class: 0, name: name.into(), images: 9, correct: 3, accuracy: 1.0 / 3.0 };
    round_trip(path, &[class("airplane"), class("a, \"quoted\"\nname"), class("7")]);
    let cam = |index| CamIndexRow {
        row: 3,
        index,
        truth: index,
        predicted: 5,
        probability: 0.1,
        target: Some(5),
        against: index,
        method: "gradcam".into(),
        layer: "layer3+layer4".into(),
        smoothing: CamSmoothing::AugmentEigen,
        status: CamStatus::AllNegative,
        colormap: Some("jet".into()),
        blend: Some("even".into()),
    };
    let untargeted =
        CamIndexRow { target: None, smoothing: CamSmoothing::None, colormap: None, blend: None, ..cam(None) };
    round_trip(path, &[cam(Some(8)), untargeted]);
    let expected = "row,index,true,predicted,probability,target,against,method,layer,smoothing,status,colormap,blend\n\
                    3,8,8,5,0.1,5,8,gradcam,layer3+layer4,augment+eigen,all_negative,jet,even\n\
                    3,,,5,0.1,,,gradcam,layer3+layer4,none,all_negative,,\n";
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
    write_rows::<StepRow>(path, &[]).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "step,epoch,lr,loss\n");
    assert!(read_rows::<StepRow>(path).unwrap().is_empty());
}

fn round_trip<R: Row + PartialEq + std::fmt::Debug>(path: &Path, rows: &[R]) {
    write_rows(path, rows).unwrap();
    assert_eq!(read_rows::<R>(path).unwrap(), rows);
}

proptest! {
    // Each case writes files and waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn floats_round_trip_to_the_last_bit(bits in prop::collection::vec(any::<u64>(), 1..20)) {
        let (_folder, path) = scratch();
        let rows: Vec<_> = bits.iter().map(|bits| StepRow { loss: f64::from_bits(*bits), ..step(1) }).collect();
        write_rows(&path, &rows).unwrap();
        for (read, row) in read_rows::<StepRow>(&path).unwrap().iter().zip(&rows) {
            // NaN has many bit patterns, and stays NaN.
            prop_assert!(read.loss.to_bits() == row.loss.to_bits() || (read.loss.is_nan() && row.loss.is_nan()));
        }
    }

    #[test]
    fn arbitrary_bytes_are_an_error_or_rows(bytes in prop::collection::vec(any::<u8>(), 0..200), headed: bool) {
        let (_folder, path) = scratch();
        let mut file = if headed { b"step,epoch,lr,loss\n".to_vec() } else { Vec::new() };
        file.extend(bytes);
        fs::write(&path, &file).unwrap();
        let _ = read_rows::<StepRow>(&path);
        let _ = cut_rows_after::<StepRow>(&path, 10);
        let _ = append_rows(&path, &[step(1)]);
        let _ = Predictions::read(&path);
        let _ = ConfusionTable::read(&path);
    }

    #[test]
    fn a_cut_file_is_a_prefix(positions in 0_u64..40, keep in 0_u64..50, broken in 0_usize..30) {
        let (_folder, path) = scratch();
        let rows: Vec<_> = (1..=positions).map(step).collect();
        write_rows(&path, &rows).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let header = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        // A crash may leave any part of the last line.
        bytes.truncate(bytes.len().saturating_sub(broken).max(header));
        fs::write(&path, &bytes).unwrap();
        let cut = cut_rows_after::<StepRow>(&path, keep).unwrap();
        let left = read_rows::<StepRow>(&path).unwrap();
        prop_assert_eq!(left.len(), cut.kept);
        prop_assert!(left.len() as u64 <= keep && left.iter().zip(&rows).all(|(a, b)| a == b));
        prop_assert!(bytes.starts_with(&fs::read(&path).unwrap()));
        if broken == 0 {
            prop_assert_eq!(cut.kept as u64, keep.min(positions));
            prop_assert_eq!(cut.kept + cut.cut, rows.len());
        }
    }
}

#[test]
fn what_a_diverged_run_measures_reads_back() {
    let (_folder, path) = scratch();
    let losses = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE / 8.0];
    let rows: Vec<_> = losses.iter().map(|loss| StepRow { loss: *loss, ..step(1) }).collect();
    write_rows(&path, &rows).unwrap();
    for (read, row) in read_rows::<StepRow>(&path).unwrap().iter().zip(&rows) {
        assert_eq!(read.loss.is_nan(), row.loss.is_nan());
        assert!(read.loss.is_nan() || read.loss.to_bits() == row.loss.to_bits());
    }
}

#[test]
fn cut_and_append_give_the_file_of_a_run_left_alone() {
    let (_folder, path) = scratch();
    let rows: Vec<_> = (1..=9).map(epoch).collect();
    write_rows(&path, &rows).unwrap();
    let whole = fs::read(&path).unwrap();
    // Killed while it wrote the sixth line; the checkpoint is of the fourth epoch.
    let sixth = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(5).unwrap().0;
    fs::write(&path, &whole[..sixth + 7]).unwrap();
    assert!(append_rows(&path, &rows[5..]).is_err(), "a line broken off is not appended to");
    let cut = cut_rows_after::<EpochRow>(&path, 4).unwrap();
    assert_eq!((cut.kept, cut.cut), (4, 2));
    append_rows(&path, &rows[4..7]).unwrap();
    append_rows(&path, &rows[7..]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn cutting_nothing_is_fine() {
    let (_folder, path) = scratch();
    let cut = cut_rows_after::<EpochRow>(&path, 4).unwrap();
    assert_eq!((cut.kept, cut.cut), (0, 0));
    assert!(!path.exists());
    fs::write(&path, "epoch,lr,mom").unwrap(); // Not even the header was written.
    cut_rows_after::<EpochRow>(&path, 4).unwrap();
    assert!(read_rows::<EpochRow>(&path).unwrap().is_empty());
}

#[test]
fn errors_say_where_and_what() {
    let (_folder, path) = scratch();
    let error = read_rows::<StepRow>(&path).unwrap_err();
    assert!(error.is_missing() && error.path() == Some(&path));

    write_rows(&path, &[epoch(1)]).unwrap();
    let error = read_rows::<StepRow>(&path).unwrap_err();
    assert!(
        matches!(&error, RunsError::Columns { expected, .. } if expected == "step,epoch,lr,loss"),
        "{error}"
    );
    assert!(append_rows(&path, &[step(1)]).is_err());

    let cases = [
        ("1,1,0.1,x\n", 2, "column `loss`"),
        ("1,1,0.1,2.5\n1,-1,0.1,2.5\n", 3, "column `epoch`"),
        ("1,1,0.1\n", 2, "3 fields instead of 4"),
        ("1,1,0.1,2.5,6\n", 2, "5 fields instead of 4"),
        ("1,1,0.1,2.5\n2,1,0.1,2.", 3, "broken off"),
    ];
    for (body, at, why) in cases {
        fs::write(&path, format!("step,epoch,lr,loss\n{body}")).unwrap();
        match read_rows::<StepRow>(&path).unwrap_err() {
            RunsError::Row { line, reason, .. } => {
                assert!(line == at && reason.contains(why), "{line} {reason}");
            }
            error => panic!("{error}"),
        }
    }
}

fn predictions() -> Predictions {
    let row = |index, truth, predicted, probabilities: [f32; 3]| PredictionRow {
        index,
        truth,
        predicted,
        probabilities: probabilities.to_vec(),
    };
    Predictions {
        class_names: vec!["cat".into(), "dog, small".into(), "index".into()],
        rows: vec![row(0, 1, 1, [0.1, 0.7, 0.2]), row(4, 2, 0, [1.0, 1e-30, f32::MIN_POSITIVE])],
    }
}

#[test]
fn predictions_read_back() {
    let (_folder, path) = scratch();
    let predictions = predictions();
    predictions.write(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("index,true,predicted,cat,\"dog, small\",index\n0,1,1,0.1,0.7,0.2\n"), "{text}");
    assert_eq!(Predictions::read(&path).unwrap(), predictions);
    assert_eq!(predictions.wrong().map(|row| row.index).collect::<Vec<_>>(), [4]);
    assert_eq!(predictions.rows[0].confidence(), 0.7);
}

#[test]
fn predictions_that_do_not_fit_are_refused() {
    let (_folder, path) = scratch();
    let mut short = predictions();
    short.rows[1].probabilities.pop();
    let error = short.write(&path).unwrap_err().to_string();
    assert!(error.contains("image 4 with 2 probabilities instead of 3"), "{error}");
    let mut beyond = predictions();
    beyond.rows[0].predicted = 3;
    assert!(beyond.write(&path).is_err() && !path.exists());

    let cases = [
        ("index,true,cat\n", "line 1"),
        ("index,true,predicted\n", "line 1"),
        ("", "line 1"),
        ("index,true,predicted,cat,dog\n0,0,1,.5,.5\n1,2,0,.5,.5\n", "line 3"),
        ("index,true,predicted,cat,dog\n0,0,1,.5\n", "4 fields instead of 5"),
        ("index,true,predicted,cat,dog\n0,0,1,.5,half\n", "`half`, is no such number"),
    ];
    for (text, why) in cases {
        fs::write(&path, text).unwrap();
        let error = Predictions::read(&path).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn confusion_reads_back() {
    let (_folder, path) = scratch();
    let table = ConfusionTable {
        class_names: vec!["cat".into(), "dog".into()],
        counts: vec![vec![3, 1], vec![0, 4]],
    };
    table.write(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "true/predicted,cat,dog\ncat,3,1\ndog,0,4\n");
    assert_eq!(ConfusionTable::read(&path).unwrap(), table);
    let ragged = ConfusionTable { counts: vec![vec![3, 1], vec![0]], ..table };
    assert!(ragged.write(&path).unwrap_err().to_string().contains("lengths [2, 1]"));

    let cases = [
        ("", "line 1"),
        ("true/predicted\n", "line 1"),
        ("x,cat,dog\n", "line 1"),
        ("true/predicted,cat,dog\ncat,3,1\n", "1 rows instead of 2"),
        ("true/predicted,cat,dog\ncat,3,1\nbird,0,4\n", "`bird` where that of `dog` belongs"),
        ("true/predicted,cat,dog\ncat,3\n", "line 2"),
        ("true/predicted,cat,dog\ncat,3,-1\n", "`-1` is no count"),
        ("true/predicted,cat\ncat,3\ncat,3\n", "more rows than classes"),
    ];
    for (text, why) in cases {
        fs::write(&path, text).unwrap();
        let error = ConfusionTable::read(&path).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
