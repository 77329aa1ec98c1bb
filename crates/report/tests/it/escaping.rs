//! Names and texts from outside stay text.

use wick_report::{comparison, page};

use crate::run::{Options, whole};

const EVIL: &str = "<script>alert(1)</script>";

fn evil() -> Options {
    Options {
        class_names: [EVIL, "\" onload=\"x", "frog & co"],
        recipe: "name = \"<script>alert(1)</script>\"\ndescription = \"</style><script>\"\n[optim]\nlr = 0.1 # <script>\n",
        ..Options::default()
    }
}

#[test]
fn scripts_in_names_paths_and_recipes_are_text() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(&folder.path().join("<script>run"), &evil());
    let html = page(&run).unwrap();
    only_our_script(&html);
    assert!(!html.contains("\" onload=\""));
    assert!(html.contains("frog &#38; co"));
    assert!(html.contains("&#60;script&#62;run"), "the folder's name is told, as text");
}

#[test]
fn scripts_are_text_in_comparisons_too() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["<script>a", "<script>b"].map(|name| whole(&folder.path().join(name), &evil()));
    only_our_script(&comparison(&runs).unwrap());
}

/// The page has one script, at its end, whose hash its policy names.
fn only_our_script(html: &str) {
    assert_eq!(html.matches("<script").count(), 1);
    assert!(html.contains("script-src 'sha256-"));
    assert!(html.contains("&#60;script&#62;alert(1)"));
    assert_eq!(html.matches("</style>").count(), 1);
}
