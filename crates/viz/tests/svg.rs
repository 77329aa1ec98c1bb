//! Every chart as SVG: well-formed, without a font, telling what it shows, and the same each time.

#![allow(clippy::unwrap_used, dead_code)] // in the tests' own helpers too

mod charts;

use charts::{calibration, classes, learning, one_cycle, range, recipes, resnet_norms};
use roxmltree::{Document, Node};
use std::collections::BTreeSet;
use wick_viz::{Chart, SvgOptions, Theme};

fn all() -> [(&'static str, Chart); 7] {
    [
        ("curves", learning(20, |_| {})),
        ("comparison", recipes()),
        ("lr_finder", range()),
        ("lr_schedule", one_cycle()),
        ("per_class", classes()),
        ("reliability", calibration()),
        ("norms", resnet_norms()),
    ]
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<&'a str> {
    node.children().find(|n| n.has_tag_name(("http://www.w3.org/2000/svg", name)))?.text()
}

#[test]
fn each_is_xml_that_says_what_it_shows() {
    for (name, chart) in all() {
        let svg = chart.svg(&SvgOptions::default());
        let page = Document::parse(&svg).unwrap_or_else(|e| panic!("{name}: {e}"));
        let root = page.root_element();
        assert!(root.has_tag_name(("http://www.w3.org/2000/svg", "svg")), "{name}");
        assert_eq!(root.attribute("role"), Some("img"), "{name}");
        let size = format!("0 0 {} {}", chart.width(), chart.height());
        assert_eq!(root.attribute("viewBox"), Some(size.as_str()), "{name}");
        assert_eq!(child(root, "title"), Some(chart.title()), "{name}");
        assert_eq!(child(root, "desc"), Some(chart.description()), "{name}");
        assert!(svg.len() < 200_000, "{name}: {} bytes", svg.len());
        assert_eq!(svg, chart.svg(&SvgOptions::default()), "{name}: the same each time");
    }
}

#[test]
fn descriptions_hold_the_figures() {
    let says = |name: &str| {
        let (_, chart) = all().into_iter().find(|c| c.0 == name).unwrap();
        chart.description().to_owned()
    };
    assert!(says("curves").contains("Test accuracy: first 54.09 %, last 91.66 %."));
    assert!(says("curves").ends_with("Best test accuracy 91.72 % in epoch 15."));
    assert!(
        says("lr_finder")
            .contains("from 1e-5 to 0.1. steepest gradient suggests 5.09e-3. valley suggests 4.1e-3.")
    );
    assert!(says("lr_finder").contains("Without a suggestion: none."));
    assert_eq!(
        says("per_class"),
        "Mean over 3 classes 84.40 %. airplane 93.8 % (published 94.0 %); a <very> old & \"rare\" bird 75.0 % (published 88.9 %); cat –."
    );
    assert!(says("reliability").contains("Expected calibration error 3.12 %, maximum 14.31 %."));
    assert!(says("norms").starts_with(
        "62 parameters in 7 layers, 30 steps. Gradients are of each epoch's last step. conv1: weights "
    ));
}

#[test]
fn letters_are_outlines_under_ids_of_ones_own() {
    for (name, chart) in all() {
        let svg = chart.svg(&SvgOptions { id: "a b<\"ü".to_owned(), ..Default::default() });
        let page = Document::parse(&svg).unwrap();
        let names: BTreeSet<&str> = page.descendants().map(|n| n.tag_name().name()).collect();
        let known = ["", "circle", "defs", "desc", "g", "path", "polygon", "style", "svg", "title", "use"];
        assert!(names.iter().all(|n| known.contains(n)), "{name}: {names:?}");
        let ids: Vec<&str> = page.descendants().filter_map(|n| n.attribute("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert!(
            ids.len() == unique.len() && ids.iter().all(|id| id.starts_with("a-b----")),
            "{name}: {ids:?}"
        );
        for letter in page.descendants().filter_map(|n| n.attribute("href")) {
            assert!(unique.contains(letter.trim_start_matches('#')), "{name}: {letter}");
        }
    }
}

#[test]
fn colours_follow_the_page() {
    let colours = |theme| {
        let svg = one_cycle().svg(&SvgOptions { theme, ..Default::default() });
        let page = Document::parse(&svg).unwrap();
        let of = |n: Node<'_, '_>| n.attribute("fill").or(n.attribute("stroke")).map(str::to_owned);
        let set: BTreeSet<String> = page.descendants().filter_map(of).collect();
        (set, svg.contains("prefers-color-scheme:dark"))
    };
    let ((light, _), (dark, _)) = (colours(Theme::Light), colours(Theme::Dark));
    assert!(light.contains("#ffffff") && light.contains("#202124"));
    assert!(
        dark.contains("#14161b") && light.intersection(&dark).all(|c| c == "none" || c == "transparent"),
        "{dark:?}"
    );
    assert_eq!(colours(Theme::Auto), (light, true), "light where the reader says nothing");
    assert!(!colours(Theme::Dark).1);
}

/// What a pointer is told where the SVG is part of a page.
#[test]
fn values_are_told_at_their_places() {
    let svg = learning(20, |_| {}).svg(&SvgOptions::default());
    let page = Document::parse(&svg).unwrap();
    let tips = page.descendants().filter(|n| n.has_tag_name(("http://www.w3.org/2000/svg", "circle")));
    let tips: Vec<&str> = tips.filter_map(|n| child(n, "title")).collect();
    assert_eq!(tips.len(), 6 * 20);
    assert!(
        tips.contains(&"epoch 20: test 91.66 %") && tips.contains(&"epoch 5: learning rate 0.005094"),
        "{tips:?}"
    );
}
