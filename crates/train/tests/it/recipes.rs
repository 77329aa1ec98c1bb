//! Layers of TOML, and recipes that are refused.

use wick_train::{Layers, Mix, Recipe, TrainError};

const TINY: &str = include_str!("../../examples/tiny.toml");

fn tiny(assignments: &[&str]) -> Result<Recipe, TrainError> {
    let mut layers = Layers::default().over("tiny.toml", TINY)?;
    for assignment in assignments {
        layers = layers.set(assignment)?;
    }
    layers.resolve()
}

fn refusal(assignment: &str) -> String {
    tiny(&[assignment]).expect_err("this recipe should be refused").to_string()
}

#[test]
fn later_layers_change_single_keys() {
    let over = "[train]\nepochs = 7\n[data]\nsynthetic_test = 5\n";
    let recipe = Layers::default().over("tiny", TINY).unwrap().over("over", over).unwrap().resolve().unwrap();
    assert_eq!((recipe.train.epochs, recipe.train.batch_size), (7, 32));
    assert_eq!((recipe.data.synthetic_train, recipe.data.synthetic_test), (64, 5));
}

#[test]
fn another_kind_takes_nothing_over_from_the_old_one() {
    // SGD's momentum is unknown to Adam: had it stayed, the recipe would be refused.
    let adam = "[optim]\nkind = \"adam\"\n";
    let recipe = Layers::default().over("tiny", TINY).unwrap().over("over", adam).unwrap().resolve().unwrap();
    assert!(recipe.optim != tiny(&[]).unwrap().optim);
    assert_eq!(tiny(&["optim.kind=adam"]).unwrap().optim, recipe.optim);
}

#[test]
fn another_choice_takes_the_place_of_the_old_one() {
    let over = "[optim]\nmomentum = { nesterov = 0.8 }\n[gradients]\nl1 = 0.1\nclip = { value = 1.0 }\n";
    let over = format!("{over}[train]\nmix = {{ mixup = 0.2 }}\n");
    let more = "[gradients]\nclip = { norm = 2.0 }\n[train]\nmix = { cutmix = 1.0 }\n";
    let layers = Layers::default().over("tiny", TINY).unwrap().over("over", &over).unwrap();
    let recipe = layers.over("more", more).unwrap().resolve().unwrap();
    assert_eq!(recipe.train.mix, Mix::Cutmix(1.0));
    let text = recipe.to_string();
    assert!(text.contains("nesterov = 0.8") && !text.contains("heavy"), "{text}");
    assert!(text.contains("l1 = 0.1") && text.contains("norm = 2.0") && !text.contains("value ="), "{text}");
}

#[test]
fn values_are_toml_or_else_strings() {
    let recipe = tiny(&["seed=5", "name=mine", "optim.momentum={ nesterov = 0.8 }"]).unwrap();
    assert_eq!((recipe.seed, recipe.name.as_str()), (5, "mine"));
    assert_eq!(recipe.optim.momentum(), Some(0.8));
}

#[test]
fn the_text_of_a_recipe_is_the_recipe() {
    let said = ["train.label_smoothing=0.1", "optim.lr=0.30000000000000004", "train.mix={ mixup = 0.2 }"];
    let recipe = tiny(&said).unwrap();
    let again = Layers::default().over("text", &recipe.to_string()).unwrap().resolve().unwrap();
    assert_eq!(again, recipe);
}

#[test]
fn later_keys_are_silent_where_they_change_nothing() {
    let text = tiny(&[]).unwrap().to_string();
    let later = ["accumulate", "average", "freeze", "mix", "views"];
    assert!(later.iter().all(|key| !text.contains(key)), "{text}");
    let said = [
        "train.accumulate=1",
        "average={ kind = \"none\" }",
        "train.freeze=[]",
        "train.mix=none",
        "evaluate.views=none",
    ];
    assert_eq!(tiny(&said).unwrap(), tiny(&[]).unwrap());
    let identity = |more: &str| tiny(&[more]).unwrap().identity();
    let plain = tiny(&[]).unwrap().identity();
    let mut identities = vec![plain.clone()];
    for changed in [
        "train.accumulate=2",
        "average={ kind = \"ema\" }",
        "average={ kind = \"ema\", decay = 0.9 }",
        "train.freeze=[{ named = \"bn1\", after_epochs = 1 }]",
        "train.freeze=[{ named = \"bn1\", after_epochs = 2 }]",
        "train.mix={ mixup = 0.2 }",
        "train.mix={ mixup = 0.3 }",
        "train.mix={ cutmix = 0.2 }",
        "evaluate.views=mirror",
        "evaluate.views=six",
        "train.epochs=2",
        "train.batch_size=16",
        "train.last_batch=drop",
        "train.label_smoothing=0.1",
        "train.precision=bf16",
        "train.convolution=direct",
    ] {
        assert!(!identities.contains(&identity(changed)), "{changed}");
        identities.push(identity(changed));
    }
    for looks in ["train.checkpoint_minutes=7.0", "name=mine", "evaluate.batch_size=7", "published={}"] {
        assert_eq!(identity(looks), plain, "{looks}");
    }
    // What a checkpoint of this recipe says that was made before there were these keys.
    assert_eq!(plain, "6270f63dc17acd64073eac42cfa0e47040504dfbdca0638ccd5924be146cc4cc");
}

#[test]
fn what_was_published_may_be_known_in_part() {
    let known = "published={ last_test_accuracy = 0.94, summary = { batch_size = 1, parameters = 9 } }";
    let recipe = tiny(&[known]).unwrap();
    let published = recipe.published.as_ref().unwrap();
    assert_eq!((published.last(), published.epochs), (Some(0.94), None));
    let again = Layers::default().over("text", &recipe.to_string()).unwrap().resolve().unwrap();
    assert_eq!(again, recipe);
    let each = tiny(&["published={ epochs = 2, test_accuracy = [0.5, 0.25] }"]).unwrap();
    assert_eq!(each.published.unwrap().last(), Some(0.25));
}

#[test]
fn what_is_frozen_depends_on_the_epoch_alone() {
    let freeze =
        "train.freeze=[{ named = \"bn1\", after_epochs = 1 }, { named = \"linear.bias\", after_epochs = 3 }]";
    let recipe = tiny(&[freeze]).unwrap();
    let frozen: Vec<usize> = (0..=5).map(|epoch| recipe.frozen(epoch).len()).collect();
    assert_eq!(frozen, [0, 0, 1, 1, 2, 2]); // the range test's is epoch 0
    assert_eq!(recipe.frozen(2), ["bn1"]);
}

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    for (assignment, nearest) in [
        ("train.epoch=3", "`epochs`"),
        ("optim.learnin_rate=3", "`lr`"),
        ("optim.momentun={ heavy = 0.9 }", "`momentum`"),
        ("model.architecture=resnet81", "`resnet18`"),
        ("data.dataset=sintetic", "`synthetic`"),
        ("evaluatee.batch_size=3", "`evaluate`"),
    ] {
        let said = refusal(assignment);
        if assignment.starts_with("optim.learnin") {
            assert!(said.contains("`learnin_rate`"), "{said}");
        } else {
            assert!(said.contains(&format!("did you mean {nearest}?")), "{assignment}: {said}");
        }
    }
}

#[test]
fn values_out_of_range_are_named_with_what_is_allowed() {
    for (assignment, words) in [
        ("train.epochs=0", ["train.epochs is 0", "1 or more"]),
        ("train.batch_size=1", ["train.batch_size is 1", "2 or more"]),
        ("train.label_smoothing=1.5", ["train.label_smoothing is 1.5", "0 to 1"]),
        ("train.checkpoint_minutes=0.0", ["train.checkpoint_minutes is 0", "above 0, to"]),
        ("optim.lr=-1.0", ["lr is -1", "at least 0"]),
        ("lr_finder.end=1e-6", ["start = 0.00001", "end = 0.000001"]),
        ("train.checkpoint_minutes=inf", ["train.checkpoint_minutes is inf", "1000000"]),
        ("train.epochs=9000000000000", ["train.epochs is 9000000000000", "100000"]),
        ("name=../escape", ["name is", "letters"]),
        ("gradients.l1=-0.5", ["gradients.l1 is -0.5", "at least 0"]),
        ("gradients.clip={ value = 0.0 }", ["gradients.clip.value is 0", "above 0"]),
        ("groups=[{ of = \"vectors\", lr = -1.0 }]", ["groups.lr is -1", "at least 0"]),
        ("gradients.clip={ median = 1.0 }", ["median", "norm"]),
        ("train.mix={ mixup = 0.0 }", ["train.mix.mixup is 0", "above 0, to 1000"]),
        ("train.mix={ cutmix = nan }", ["train.mix.cutmix is NaN", "Beta(alpha, alpha)"]),
        ("train.mix={ cutmx = 1.0 }", ["cutmx", "did you mean `cutmix`?"]),
        ("train.accumulate=0", ["train.accumulate is 0", "1 to 16 (half of train.batch_size)"]),
        ("train.accumulate=17", ["train.accumulate is 17", "1 to 16"]),
        ("average={ kind = \"ema\", decay = 1.0 }", ["average.decay is 1", "below 1"]),
        ("average={ kind = \"lookahead\", every = 0 }", ["average.every is 0", "at least 1"]),
        ("average={ kind = \"swa\", start = 2 }", ["average.start is 2", "an epoch of the run"]),
        ("average={ kind = \"emma\" }", ["emma", "did you mean `ema`?"]),
        ("average={ kind = \"ema\", beta = 0.9 }", ["beta", "decay"]),
        ("optim={ kind = \"muon\", steps = 0 }", ["steps is 0", "1 to 20"]),
        (
            "train.freeze=[{ named = \"bn9\", after_epochs = 1 }]",
            ["train.freeze.named is \"bn9\"", "conv1.weight"],
        ),
        (
            "train.freeze=[{ named = \"running_mean\", after_epochs = 1 }]",
            ["\"running_mean\"", "trained parameter"],
        ),
        ("train.freeze=[{ named = \"bn1\", after = 1 }]", ["after", "`after_epochs`"]),
        ("evaluate.views=mirrors", ["mirrors", "did you mean `mirror`?"]),
        (
            "published={ learning_rates = [0.1] }",
            ["published.learning_rates is a list of 1", "published.epochs"],
        ),
        ("published={ epochs = 1, learning_rates = [0.1] }", ["learning_rates", "published.steps_per_epoch"]),
        ("published={ epochs = 1, test_accuracy = [0.1, 0.2] }", ["test_accuracy is a list of 2", "each of"]),
        (
            "published={ epochs = 1, test_accuracy = [0.1], last_test_accuracy = 0.1 }",
            ["published.last_test_accuracy", "given twice"],
        ),
        ("train.epochs=many", ["invalid type", "epochs"]),
    ] {
        let said = refusal(assignment);
        assert!(words.iter().all(|w| said.contains(w)), "{assignment}: {said}");
    }
}

#[test]
fn a_batch_that_splits_do_not_divide_is_refused() {
    let said = tiny(&["model.architecture=resnet18_ghost3"]).unwrap_err().to_string();
    for part in ["train.batch_size is 32", "a multiple of 3", "model.architecture = \"resnet18_ghost3\""] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let parts = ["model.architecture=resnet18_ghost4", "train.accumulate=3"];
    let said = tiny(&parts).unwrap_err().to_string();
    for part in ["train.batch_size is 32", "a multiple of 12", "times train.accumulate"] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let said = tiny(&[&parts[..], &["train.batch_size=24"]].concat());
    assert_eq!(said.unwrap().train.accumulate, 3);
    let recipe = tiny(&["model.architecture=resnet18_ghost4"]).unwrap();
    assert_eq!(recipe.model.architecture.splits(), Some(4));
    assert!(recipe.to_string().contains("architecture = \"resnet18_ghost4\""), "{recipe}");
}

#[test]
fn a_momentum_that_is_not_there_cannot_be_cycled() {
    let over =
        "[optim]\nkind = \"sgd\"\nmomentum = \"none\"\n[schedule]\nkind = \"one_cycle\"\nmax_lr = 0.1\n";
    let cycled = Layers::default().over("tiny", TINY).unwrap().over("over", over).unwrap();
    let said = cycled.clone().resolve().unwrap_err().to_string();
    assert!(said.contains("schedule.momentum is a cycle") && said.contains("\"fixed\""), "{said}");
    cycled.set("schedule.momentum=fixed").unwrap().resolve().unwrap();
}

#[test]
fn a_crop_larger_than_its_image_is_refused() {
    let crop = "[[transforms]]\ntransform = \"random_crop\"\nheight = 40\nwidth = 40\n";
    let said =
        Layers::default().over("tiny", TINY).unwrap().over("over", crop).unwrap().resolve().unwrap_err();
    assert!(said.to_string().contains("40"), "{said}");
}

#[test]
fn assignments_that_are_none_say_how_to_write_one() {
    for assignment in ["train.epochs", "=3", "train.epochs.more=3"] {
        let said = refusal(assignment);
        assert!(said.contains(assignment) && said.contains("train.epochs=3"), "{said}");
    }
}

#[test]
fn text_that_is_no_toml_is_told_with_its_place() {
    let said = Layers::default().over("mine.toml", "epochs = = 3").unwrap_err().to_string();
    assert!(said.contains("mine.toml") && said.contains("line 1"), "{said}");
}
