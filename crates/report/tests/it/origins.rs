//! What maps are maps of is told, most of all where a reader would not expect it.

use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use wick_report::page;
use wick_runs::{CamWeights, Input, Manifest, RunDir, write_atomic};

use crate::run::{Options, explained_by, section, whole};

fn run() -> (tempfile::TempDir, RunDir) {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(&folder.path().join("run"), &Options::default());
    (folder, run)
}

/// What the page of `run` says in a section of maps, without tags.
fn said(run: &RunDir, id: &str) -> String {
    let html = page(run).unwrap();
    let text = section(&html, id).split_once("<ul class=\"origins\">").map_or("", |(_, rest)| rest);
    let list = text.split("</ul>").next().unwrap_or_default();
    let words = list.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    words.collect::<String>().replace("&#39;", "'")
}

#[test]
fn usual_maps_are_told_of_once() {
    let (_folder, run) = run();
    assert_eq!(
        said(&run, "looks"),
        "Grad-CAM and LayerCAM: what speaks for the predicted class, at layer4, by the last epoch's weights."
    );
    assert_eq!(said(&run, "misclassified"), "");
}

#[test]
fn other_weights_are_told_of_wherever_maps_are() {
    let (_folder, run) = run();
    explained_by(&run, &run.best());
    let expected = "Grad-CAM and LayerCAM: what speaks for the predicted class, at layer4, by the best epoch's weights, \
                    where this page's predictions are by the last epoch's weights.";
    for id in ["looks", "misclassified"] {
        assert_eq!(said(&run, id), expected, "{id}");
    }
    assert_eq!(said(&run, "unsure"), "", "where there are no maps, nothing is said of them");
    assert!(page(&run).unwrap().contains("explained at layer4 by the best epoch&#39;s weights, where"));
    // Trained on since.
    explained_by(&run, &run.last());
    write_atomic(&run.last(), b"of one epoch more").unwrap();
    explained_by(&run, &run.last());
    assert!(said(&run, "looks").contains("at another time than this page's predictions"));
}

#[test]
fn maps_of_an_earlier_run_of_the_stage_are_not_claimed_to_be_known() {
    let (_folder, run) = run();
    let index = run.cam("layercam").unwrap().index();
    fs::write(&index, fs::read_to_string(&index).unwrap().replace("0.75", "0.5")).unwrap();
    let said = said(&run, "looks");
    assert!(said.starts_with("Grad-CAM: what speaks for the predicted class"), "{said}");
    assert!(said.ends_with("at layer4, by weights that neither the maps nor the manifest tell."), "{said}");
}

/// The manifest tells of the methods of the last call only; maps of an earlier one say themselves of which weights they are.
#[test]
fn maps_say_themselves_of_which_weights_they_are() {
    let (_folder, run) = run();
    let say = |method: &str, weights: &Path| {
        let maps = run.cam(method).unwrap().raw();
        let bytes = fs::read(&maps).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let metadata = CamWeights::of(weights).unwrap().metadata();
        write_atomic(&maps, &safetensors::serialize(tensors.iter(), Some(metadata)).unwrap()).unwrap();
    };
    let index = run.cam("layercam").unwrap().index();
    Manifest::record_stage(&run, "gradcam", &[Input::path(run.last())], &[index], 2.0).unwrap();
    let unknown = "Grad-CAM: what speaks for the predicted class, at layer4, by weights that neither";
    assert!(said(&run, "looks").starts_with(unknown), "{}", said(&run, "looks"));
    say("gradcam", &run.last());
    assert_eq!(
        said(&run, "looks"),
        "Grad-CAM and LayerCAM: what speaks for the predicted class, at layer4, by the last epoch's weights."
    );
    say("gradcam", &run.best());
    let other =
        "Grad-CAM: what speaks for the predicted class, at layer4, by the best epoch's weights, where this";
    assert!(said(&run, "misclassified").starts_with(other), "{}", said(&run, "misclassified"));
    // What the maps say goes before what the manifest says.
    write_atomic(&run.last(), b"of one epoch more").unwrap();
    say("layercam", &run.last());
    assert!(said(&run, "looks").contains("LayerCAM: what speaks for the predicted class, at layer4, by the last epoch's weights at another time"));
}

#[test]
fn other_classes_layers_and_smoothing_are_told_of() {
    let (_folder, run) = run();
    let header = "row,index,true,predicted,probability,target,against,method,layer,smoothing,status\n";
    let write = |method: &str, lines: [&str; 2]| {
        let text = format!("{header}{}\n{}\n", lines[0], lines[1]);
        fs::write(run.cam(method).unwrap().index(), text).unwrap();
    };
    write(
        "gradcam",
        ["0,2,1,0,0.75,1,0,gradcam,layer4,eigen,normal", "1,5,2,0,0.75,1,0,gradcam,layer4,eigen,normal"],
    );
    write(
        "layercam",
        ["0,2,1,0,0.75,1,,layercam,layer3,none,normal", "1,5,2,0,0.75,0,,layercam,layer3,none,normal"],
    );
    explained_by(&run, &run.last());
    let recipe = fs::read_to_string(run.recipe_toml()).unwrap() + "[evaluate]\ncam_layer = \"layer4\"\n";
    fs::write(run.recipe_toml(), recipe).unwrap();
    let said = said(&run, "misclassified");
    assert!(
        said.contains("Grad-CAM: what speaks for dog rather than cat, at layer4, smoothed by the first principal component,"),
        "{said}"
    );
    assert!(
        said.contains(
            "LayerCAM: in 1 of 2 maps what speaks for another class than the predicted, at layer3 (the recipe asks for layer4),"
        ),
        "{said}"
    );
    let html = page(&run).unwrap();
    assert!(html.contains("<figcaption>Grad-CAM for dog rather than cat</figcaption>"));
    assert!(html.contains("<figcaption>LayerCAM for dog</figcaption>"));
}
