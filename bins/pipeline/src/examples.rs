//! Examples under the help of the stages.

pub const PIPELINE: &str = "\
A first run, offline, on generated images:
  pipeline prepare --recipe s11 --quick
  pipeline find-lr --run runs/s11
  pipeline train --run runs/s11
  pipeline evaluate --run runs/s11
  pipeline plot --run runs/s11

`pipeline STAGE --help` tells more of each. Exit codes: 0 done, 2 refused, 130 interrupted.
Colours: NO_COLOR turns them off, CLICOLOR_FORCE=1 on where output is no terminal.";

pub const PREPARE: &str = "\
Examples:
  pipeline prepare --recipe s11 --quick
  pipeline prepare --recipe s11 --data data/cifar-10-batches-bin --epochs 5 --limit 10000
  pipeline prepare --recipe mine.toml --data cifar-10-binary.tar.gz --set schedule.max_lr=0.01
  RUN=$(pipeline prepare --recipe s11 --quick --quiet)      # the run folder, for a script";

pub const TRAIN: &str = "\
Ctrl-C finishes the step, saves, and says how to go on; a second one stops at once and goes on from the last checkpoint.

Examples:
  pipeline train --run runs/s11
  pipeline train --run runs/s11 --resume
  pipeline train --run runs/s11 --json | jq .last.test_accuracy";

pub const FIND_LR: &str = "\
Examples:
  pipeline find-lr --run runs/s11
  pipeline find-lr --run runs/s11 --json | jq .suggestions.steepest";

pub const EVALUATE: &str = "\
Examples:
  pipeline evaluate --run runs/s11 --weights best
  pipeline evaluate --checkpoint resnet18.pth --data data/cifar-10-batches-bin --out judged
  pipeline evaluate --run runs/s11 --json | jq .accuracy";

pub const MISCLASSIFIED: &str = "\
Of a run, what `evaluate` judged is drawn; --weights makes sure of which weights that was.

Examples:
  pipeline misclassified --run runs/s11
  pipeline misclassified --run runs/s11 --count 50 --order confidence
  pipeline misclassified --checkpoint resnet18.pth --data data/cifar-10-batches-bin --out galleries";

pub const GRADCAM: &str = "\
Examples:
  pipeline gradcam --run runs/s11
  pipeline gradcam --run runs/s11 --indices 3,17 --layer layer3 --target cat
  pipeline gradcam --run runs/s11 --method layercam,eigencam --layer layer3,layer4   # side by side
  pipeline gradcam --run runs/s11 --layer layer3+layer4   # their average
  pipeline gradcam --run runs/s11 --colormap jet --out jet   # as most publications draw them
  pipeline gradcam --run runs/s11 --evaluate                 # which method to believe
  pipeline gradcam --checkpoint resnet18.pth --image photo.png --method layercam --target cat-dog --out cam.png";

pub const COMPARE: &str = "\
Examples:
  pipeline compare runs/mine runs/s11                       # over all seeds of both
  pipeline compare runs/s11/20260101-120000-seed0 runs/s11/20260101-130000-seed1 --out two";
