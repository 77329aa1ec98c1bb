//! A run that is killed without warning, and runs with other numbers of threads.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::{pipeline, prepare, succeed};

#[test]
fn sigkill_and_threads_change_no_bit() {
    let root = tempfile::tempdir().unwrap();
    let often = ["train.checkpoint_minutes=1e-9"];
    let alone = prepare(root.path(), "alone", &often);
    succeed(&["train", "--run", alone.to_str().unwrap(), "--threads", "1"]);

    let killed = prepare(root.path(), "killed", &often);
    let at = killed.to_str().unwrap();
    let mut child =
        pipeline().args(["train", "--run", at, "--threads", "2"]).stderr(Stdio::null()).spawn().unwrap();
    // The second epoch has begun once the first has its row and a step of the second is on disk.
    let rows = |file: &str| fs::read_to_string(killed.join(file)).map_or(0, |text| text.lines().count());
    let patience = Instant::now();
    while !(rows("epochs.csv") == 2 && rows("steps.csv") >= 5) {
        assert!(child.try_wait().unwrap().is_none(), "training ended before it could be killed");
        assert!(patience.elapsed() < Duration::from_secs(300), "training does not come along");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(rows("epochs.csv") < 3, "it should have been killed within the second epoch");

    succeed(&["train", "--run", at, "--threads", "2", "--resume"]);
    let read = |run: &Path, file: &str| fs::read(run.join(file)).unwrap();
    for file in [
        "epochs.csv",
        "steps.csv",
        "norms.csv",
        "checkpoints/last.safetensors",
        "checkpoints/best.safetensors",
    ] {
        assert!(read(&alone, file) == read(&killed, file), "{file} differs");
    }
    // TensorBoard is told where the second process took up again, in a file of its own.
    let files = |run: &Path| fs::read_dir(run.join("tb")).unwrap().count();
    assert_eq!((files(&alone), files(&killed)), (1, 2));
}
