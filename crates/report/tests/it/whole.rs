//! What stands on the page of a run that has everything.

use wick_report::{inputs, page};
use wick_runs::{CamIndexRow, GalleryImages, write_rows};

use crate::run::{Options, section, whole};

fn html() -> String {
    let folder = tempfile::tempdir().unwrap();
    page(&whole(&folder.path().join("run"), &Options::default())).unwrap()
}

#[test]
fn every_section_is_there_in_order_and_in_the_contents() {
    let html = html();
    let expected = [
        "claims",
        "results",
        "curves",
        "classes",
        "confusion",
        "reliability",
        "misclassified",
        "unsure",
        "looks",
        "lr-finder",
        "schedule",
        "norms",
        "augmentations",
        "filters",
        "recipe",
        "manifest",
        "model",
    ];
    let ids: Vec<&str> =
        html.split("<section id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids, expected);
    for id in expected {
        assert!(html.contains(&format!("<li><a href=\"#{id}\">")), "{id}");
        assert!(!section(&html, id).contains("class=\"missing\""), "{id}");
    }
    assert!(html.contains("<title>mine, seed 3: report</title>") && html.contains("<h1>mine</h1>"));
    assert!(html.contains("<dt>network</dt><dd>resnet18</dd>"));
}

#[test]
fn the_last_epoch_comes_before_the_best() {
    let html = html();
    let results = section(&html, "results");
    let last = results.find("66.67\u{a0}%").unwrap();
    let best = results.find("75.00\u{a0}%").unwrap();
    assert!(last < best);
    assert!(results.contains("<dt>test accuracy, last epoch</dt>"));
    assert!(results.contains("epoch 1; chosen by looking at the test images"));
    assert!(results.contains("2\u{a0}min 4\u{a0}s") && results.contains("2,000 images/s"));
    // Confidence is 0.75 throughout, accuracy 4/6.
    assert!(results.contains("8.33\u{a0}%"), "{results}");
}

/// Of the images 2 and 5 there are maps, of 3 and 4 there are not.
#[test]
fn maps_are_promised_where_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(&folder.path().join("run"), &Options::default());
    let told = |id: &str| {
        let html = page(&run).unwrap();
        let html = section(&html, id);
        let lists = html.split("class=\"cards\" style=\"--wide:").skip(1);
        let wide: Vec<String> = lists.map(|list| list.split(';').next().unwrap().to_owned()).collect();
        let (_, hint) = html.split_once("unmapped\">").unwrap_or_default();
        let hint = hint.split(':').next().unwrap().to_owned();
        (wide, html.matches("class=\"scale\"").count(), hint)
    };
    let of = |wide: &[&str], scales, hint: &str| {
        (wide.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(), scales, hint.to_owned())
    };
    assert_eq!(told("misclassified"), of(&["3"], 1, ""));
    assert_eq!(told("unsure"), of(&["2"], 0, "Of these images there are no maps yet"));
    let mut galleries = GalleryImages::read(&run.gallery()).unwrap();
    galleries.unsure = wick_runs::PictureSet::default();
    let row = |index: usize, truth: usize| {
        let probabilities = vec![0.75, 0.125, 0.125];
        wick_runs::PredictionRow { index, truth, predicted: 0, probabilities }
    };
    let mut predictions = wick_runs::Predictions::read(&run.predictions()).unwrap();
    (predictions.rows[3], predictions.rows[4]) = (row(3, 1), row(4, 2));
    predictions.write(&run.predictions()).unwrap();
    for index in [3, 4] {
        galleries.misclassified.push(index, &[9; wick_runs::PICTURE_BYTES]);
    }
    galleries.write(&run.gallery()).unwrap();
    assert_eq!(told("misclassified"), of(&["3", "2"], 1, "Of the other 2 there are no maps yet"));
}

#[test]
fn claims_are_judged() {
    let html = html();
    let claims = section(&html, "claims");
    assert!(claims.contains("1 match, 1 differ, 0 cannot be compared."));
    assert!(claims.contains("<span class=\"verdict matches\">matches</span>"));
    assert!(claims.contains("<span class=\"verdict differs\">differs: by -25.55 points</span>"), "{claims}");
}

#[test]
fn curves_have_their_values_under_the_pointer_and_as_a_table() {
    let html = html();
    let curves = section(&html, "curves");
    assert_eq!(curves.matches("<svg class=\"chart\"").count(), 4);
    assert!(curves.contains("aria-label=\"Accuracy over 2 epochs: train from 40\u{a0}% to 40\u{a0}%, test from 75\u{a0}% to 66.7\u{a0}%.\""), "{curves}");
    assert!(curves.contains("<title>epoch 2\ntrain loss 0.7500\ntest loss 1.250\n"), "{curves}");
    assert!(curves.contains("<tr><th scope=\"row\">1</th><td>1.500</td>"));
    assert!(curves.contains("<dd data-c=\"4\">66.67\u{a0}%</dd>"));
}

#[test]
fn classes_and_confusion_tell_counts_and_rates() {
    let html = html();
    let classes = section(&html, "classes");
    assert!(classes.contains("Best: cat, 100.00\u{a0}%. Worst: dog, 50.00\u{a0}%."));
    // Two of the four taken for cats are cats: precision 1/2, F1 2·2/(2 + 4).
    assert!(classes.contains("<td>50.00\u{a0}%</td><td>66.67\u{a0}%</td>"), "{classes}");
    assert!(classes.contains("cat 50.0\u{a0}%"));
    let confusion = section(&html, "confusion");
    assert!(
        confusion.contains("title=\"dog taken for cat\">1<small>50.0\u{a0}%</small></td>"),
        "{confusion}"
    );
    assert!(confusion.contains("<td class=\"right\" style=\"--v:100.0%\" title=\"cat taken for cat\">2"));
    assert!(confusion.contains("<td class=\"none\" title=\"cat taken for dog\">0</td>"));
}

#[test]
fn galleries_show_images_maps_and_what_was_said() {
    let html = html();
    let wrong = section(&html, "misclassified");
    assert!(wrong.contains("2 of the 2 images that the network got wrong, of 6"));
    assert!(wrong.contains("id=\"misclassified-2\" data-index=\"2\" data-true=\"1\" data-predicted=\"0\""));
    let alt = "Image 2, dog, taken for cat at 75.0\u{a0}%, under its Grad-CAM of layer4 for cat: strongest at the lower right";
    assert!(wrong.contains(&format!("alt=\"{alt}\"")), "{wrong}");
    assert!(wrong.contains("<figcaption>LayerCAM</figcaption>"));
    assert_eq!(wrong.matches("<span class=\"flat\">nothing in layer4 speaks for cat</span>").count(), 2);
    // Of each image itself, of image 2's maps, and of the legend.
    assert_eq!(wrong.matches("src=\"data:image/png;base64,").count(), 5);
    let unsure = section(&html, "unsure");
    assert!(unsure.contains("The 1 least sure of the 4 right answers."));
    assert!(unsure.contains("id=\"unsure-3\"") && !unsure.contains("id=\"unsure-2\""));
}

#[test]
fn pictures_of_another_evaluation_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(folder.path(), &Options::default());
    let mut galleries = GalleryImages::read(&run.gallery()).unwrap();
    galleries.misclassified.index = vec![0, 5]; // image 0 is right now
    galleries.write(&run.gallery()).unwrap();
    let html = page(&run).unwrap();
    assert!(section(&html, "misclassified").contains("1 of the 2 images"));
    assert!(!html.contains("id=\"misclassified-0\""));
}

#[test]
fn the_page_is_alone_small_and_always_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(folder.path(), &Options::default());
    let html = page(&run).unwrap();
    assert_eq!(html, page(&run).unwrap());
    assert!(html.len() < 200_000, "{} bytes", html.len());
    for outside in ["http://", "https://", "src=\"/", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'; img-src data:;"));
    // Making the page is itself a stage, which is no part of the page.
    wick_runs::Manifest::record_stage(&run, "report", &[], &[], 1.5).unwrap();
    assert_eq!(html, page(&run).unwrap());
    assert_eq!(inputs(&run).unwrap().len(), 21);
}

#[test]
fn a_hold_out_is_not_called_the_test_split() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = "name = \"mine\"\n[data]\nholdout = 5000\n";
    let html = page(&whole(folder.path(), &Options { recipe, ..Options::default() })).unwrap();
    assert!(section(&html, "results").contains("<dt>hold-out accuracy, last epoch</dt>"));
    assert!(!section(&html, "curves").contains("test accuracy"));
}

#[test]
fn averages_of_maps_and_the_methods_figures_are_told() {
    let html = html();
    let looks = section(&html, "looks");
    assert!(looks.contains("mean of their LayerCAM maps"), "{looks}");
    assert!(looks.contains(
        "<caption>2 misclassified images, explained at layer4 by the last epoch&#39;s weights</caption>"
    ));
    let cells = "<td>0.250</td><td>0.750</td><td>−0.500</td><td>−0.125</td><td>+0.188</td><td>12.5\u{a0}%</td><td>100.0\u{a0}%</td>";
    for method in ["LayerCAM", "random maps"] {
        assert!(looks.contains(&format!("<th scope=\"row\">{method}</th>{cells}")), "{method}: {looks}");
    }
}

#[test]
fn the_best_known_methods_averages_are_shown_and_the_others_open() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(folder.path(), &Options::default());
    let layercam = run.cam("layercam").unwrap().classes();
    let said = |run: &wick_runs::RunDir| {
        let html = page(run).unwrap();
        let looks = section(&html, "looks");
        let shown = looks.split_once("<figure class=\"look\"><figcaption>").unwrap().1;
        let folded = looks.split("<details class=\"look\"><summary>").skip(1);
        let name = |rest: &str| rest.split('<').next().unwrap().to_owned();
        (name(shown), folded.map(name).collect::<Vec<_>>())
    };
    assert_eq!(said(&run), ("LayerCAM".to_owned(), vec![]));
    for method in ["eigencam", "gradcam"] {
        let path = run.cam(method).unwrap().classes();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(&layercam, path).unwrap();
    }
    let folded = ["Eigen-CAM", "LayerCAM"].map(str::to_owned).to_vec();
    assert_eq!(said(&run), ("Grad-CAM".to_owned(), folded));
}

/// Each layer has a tile of its own, and what is said of a map is what its index says.
#[test]
fn layers_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(folder.path(), &Options::default());
    let index = run.cam("gradcam").unwrap().index();
    let rows = CamIndexRow::read(&index).unwrap();
    let first = CamIndexRow { layer: "layer3".to_owned(), against: Some(1), ..rows[0].clone() };
    let second = CamIndexRow { index: first.index, target: None, ..rows[1].clone() };
    write_rows(&index, &[first, second]).unwrap();
    let html = page(&run).unwrap();
    for words in [
        "Grad-CAM at layer3",
        "Grad-CAM at layer4",
        "under its Grad-CAM of layer3 for cat rather than dog: strongest at the lower right",
        "nothing in layer4 stands out",
    ] {
        assert!(html.contains(words), "{words}");
    }
}
