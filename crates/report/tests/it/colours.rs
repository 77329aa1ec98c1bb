//! Maps have the colours that the run's own pictures of them have.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wick_report::page;
use wick_runs::{CamIndexRow, RunDir, write_rows};

use crate::run::{Options, section, whole};

/// Changes what is said of the maps of a method.
fn say(run: &RunDir, method: &str, change: impl FnMut(&mut CamIndexRow)) {
    let index = run.cam(method).unwrap().index();
    let mut rows = CamIndexRow::read(&index).unwrap();
    rows.iter_mut().for_each(change);
    write_rows(&index, &rows).unwrap();
}

/// Says what the maps of a method were drawn in.
fn drawn_in(run: &RunDir, method: &str, colormap: &str) {
    say(run, method, |row| row.colormap = Some(colormap.to_owned()));
}

/// The scales of a gallery, as they are read.
fn scales(gallery: &str) -> Vec<String> {
    let scales = gallery.split("<p class=\"scale\">").skip(1);
    scales.map(|rest| rest.split(": <span>low").next().unwrap().to_owned()).collect()
}

/// The last pixel of the first picture under a map.
fn corner(gallery: &str) -> [u8; 3] {
    let (_, rest) =
        gallery.split_once("<figure><img src=\"").unwrap().1.split_once("<figure><img src=\"").unwrap();
    let bytes = rest.strip_prefix("data:image/png;base64,").unwrap().split('"').next().unwrap();
    let picture = wick_viz::image::load_from_memory(&STANDARD.decode(bytes).unwrap()).unwrap().into_rgb8();
    picture.get_pixel(picture.width() - 1, picture.height() - 1).0
}

/// By hand: image 2 is grey, 80 of 255, and its map is greatest in this corner; seven tenths are the colour map's last colour.
#[test]
fn maps_are_drawn_as_their_index_says() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(folder.path(), &Options::default());
    for (colormap, [r, g, b]) in [("viridis", [253.0, 231.0, 37.0]), ("jet", [128.0, 0.0, 0.0])] {
        ["gradcam", "layercam"].iter().for_each(|method| drawn_in(&run, method, colormap));
        let html = page(&run).unwrap();
        let gallery = section(&html, "misclassified");
        assert_eq!(scales(gallery), [format!("strength of the maps, in {colormap}")]);
        for (got, colour) in corner(gallery).into_iter().zip([r, g, b]) {
            let want: f32 = 0.3 * 80.0 + 0.7 * colour;
            assert!((f32::from(got) - want).abs() <= 1.0, "{colormap}: {got} instead of {want}");
        }
    }
    drawn_in(&run, "layercam", "turbo");
    let html = page(&run).unwrap();
    let expected = ["strength of Grad-CAM, in jet", "strength of LayerCAM, in turbo"];
    assert_eq!(scales(section(&html, "misclassified")), expected);
    drawn_in(&run, "gradcam", "hot");
    let said = page(&run).unwrap_err().to_string();
    assert!(said.contains("expected a colormap among jet, viridis, turbo, got `hot`"), "{said}");
}

/// By hand: image 2 is grey, so its brightness, 0.299 R + 0.587 G + 0.114 B, is 80; each channel is rounded by at most ½.
#[test]
fn maps_meet_the_image_as_their_index_says() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(folder.path(), &Options::default());
    let brightness = |blend: &str| {
        ["gradcam", "layercam"]
            .iter()
            .for_each(|method| say(&run, method, |row| row.blend = Some(blend.to_owned())));
        let [r, g, b] = corner(section(&page(&run).unwrap(), "misclassified")).map(f32::from);
        assert!(r != g || g != b, "{blend}: the map has a colour");
        0.299 * r + 0.587 * g + 0.114 * b
    };
    assert!((brightness("keep-brightness") - 80.0).abs() < 0.51);
    assert!(brightness("even") > 150.0);
    say(&run, "gradcam", |row| row.blend = Some("odd".to_owned()));
    let said = page(&run).unwrap_err().to_string();
    assert!(said.contains("expected a blend among keep-brightness, even, by-value, got `odd`"), "{said}");
}

/// An index of before it said so.
#[test]
fn maps_that_do_not_say_are_drawn_in_the_usual_colours() {
    let folder = tempfile::tempdir().unwrap();
    let html = page(&whole(folder.path(), &Options::default())).unwrap();
    assert_eq!(scales(section(&html, "unsure")), Vec::<String>::new(), "image 3 has no map");
    assert_eq!(scales(section(&html, "misclassified")), ["strength of the maps, in viridis"]);
}
