use super::super::test_server::{Head, Said, Server, answer, dropped, proper};
use super::*;

fn contents() -> Vec<u8> {
    (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// No pauses, and no proxy between this machine and itself.
pub(crate) fn test_agent() -> Agent {
    agent_builder().proxy(None).build().into()
}

const PATIENCE: Patience = Patience { attempts: 3, pause: Duration::ZERO };

struct Scene {
    folder: tempfile::TempDir,
    server: Server,
    said: Said,
}

impl Scene {
    fn new(answer: impl FnMut(usize, &Head) -> Vec<u8> + Send + 'static) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), server: Server::start(answer), said: Said::default() }
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("file.part")
    }

    fn run(&mut self) -> Result<Outcome, String> {
        self.run_expecting(None)
    }

    fn run_expecting(&mut self, bytes: Option<u64>) -> Result<Outcome, String> {
        let (agent, part) = (test_agent(), self.part());
        let download =
            Download { agent: &agent, url: &self.server.url, part: &part, bytes, patience: PATIENCE };
        download.run(&mut self.said).map_err(|error| format!("{error:#}"))
    }

    fn received(&self) -> Vec<u8> {
        fs::read(self.part()).unwrap()
    }

    fn ranges(&self) -> Vec<Option<u64>> {
        let number =
            |range: String| range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
        self.server.ranges().into_iter().map(|range| range.map(number)).collect()
    }
}

#[test]
fn in_one_piece() {
    let mut scene = Scene::new(|_, head| proper(&contents(), "\"a\"", head));
    assert_eq!(scene.run_expecting(Some(300_000)), Ok(Outcome::Whole));
    assert_eq!(scene.received(), contents());
    let target = scene.folder.path().join("file");
    let (agent, part) = (test_agent(), scene.part());
    let download = Download { agent: &agent, url: "", part: &part, bytes: None, patience: PATIENCE };
    download.finish(&target).unwrap();
    assert_eq!(fs::read(target).unwrap(), contents());
    assert_eq!(fs::read_dir(scene.folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn dropped_connections_are_continued() {
    // More drops than attempts: each brings something.
    let mut scene = Scene::new(|i, head| {
        let whole = proper(&contents(), "\"a\"", head);
        if i < 6 { dropped(whole, 40_000) } else { whole }
    });
    assert_eq!(scene.run(), Ok(Outcome::Pieces));
    assert_eq!(scene.received(), contents());
    assert_eq!(
        scene.ranges(),
        [None, Some(40_000), Some(80_000), Some(120_000), Some(160_000), Some(200_000), Some(240_000)]
    );
}

#[test]
fn continued_by_another_process() {
    let mut scene = Scene::new(|i, head| match i {
        0..3 => dropped(proper(&contents(), "\"a\"", head), if i == 0 { 1000 } else { 0 }),
        3 => answer(404, &[], b""),
        _ => proper(&contents(), "\"a\"", head),
    });
    let error = scene.run().unwrap_err();
    assert!(error.contains("status 404"), "{error}");
    assert_eq!(scene.received().len(), 1000, "what came stays");
    assert_eq!(scene.run(), Ok(Outcome::Pieces));
    assert_eq!(scene.received(), contents());
    // And once more when it is whole but was never looked at.
    let requests = scene.ranges().len();
    assert_eq!(scene.run(), Ok(Outcome::Pieces));
    assert_eq!(scene.ranges().len(), requests);
}

#[test]
fn a_server_that_ignores_ranges_starts_over() {
    let mut scene = Scene::new(|i, _| {
        let whole = answer(200, &[("ETag", "\"a\"")], &contents());
        if i == 0 { dropped(whole, 100_000) } else { whole }
    });
    assert!(scene.run().is_ok());
    assert_eq!(scene.received(), contents());
    assert!(scene.said.has("sends the whole file again"));
}

#[test]
fn a_file_that_changed_starts_over() {
    let changed = || contents().into_iter().rev().collect::<Vec<_>>();
    // First a server that heeds If-Range, then one that does not and gives itself away by its ETag.
    for heeds in [true, false] {
        let mut scene = Scene::new(move |i, head| {
            if i == 0 {
                return dropped(proper(&contents(), "\"a\"", head), 100_000);
            }
            let mut head = head.clone();
            if !heeds {
                head.remove("if-range");
            }
            proper(&changed(), "\"b\"", &head)
        });
        assert!(scene.run().is_ok());
        assert_eq!(scene.received(), changed(), "heeds If-Range: {heeds}");
        assert!(scene.said.has("starting over"));
    }
}

#[test]
fn a_file_of_another_length_starts_over() {
    // No ETag and no date: only the length tells.
    let plain = |file: &[u8], head: &Head| {
        let range = format!("bytes 100000-{}/{}", file.len() - 1, file.len());
        match head.get("range") {
            Some(_) => answer(206, &[("Content-Range", &range)], &file[100_000..]),
            None => answer(200, &[], file),
        }
    };
    let longer = || [contents(), vec![7; 50]].concat();
    let mut scene = Scene::new(move |i, head| match i {
        0 => dropped(plain(&contents(), head), 100_000),
        _ => plain(&longer(), head),
    });
    assert!(scene.run().is_ok());
    assert_eq!(scene.received(), longer());
    assert_eq!(scene.ranges(), [None, Some(100_000), None]);
}

#[test]
fn ranges_that_do_not_fit_are_not_taken() {
    let bad = [
        "bytes 99999-299999/300000",
        "bytes 100000-299998/300000",
        "bytes 100000-299999/200000",
        "bytes 299999-100000/300000",
        "bytes 100000-/300000",
        "bytes */300000",
        "100000-299999/300000",
        "bytes 18446744073709551615-18446744073709551615/*",
        "",
    ];
    for range in bad {
        let mut scene = Scene::new(move |i, head| match i {
            0 => dropped(proper(&contents(), "\"a\"", head), 100_000),
            1 => answer(206, &[("ETag", "\"a\""), ("Content-Range", range)], &contents()[100_000..]),
            _ => proper(&contents(), "\"a\"", head),
        });
        assert!(scene.run().is_ok(), "{range}");
        assert_eq!(scene.received(), contents(), "{range}");
        assert_eq!(scene.ranges(), [None, Some(100_000), None], "{range}");
    }
}

#[test]
fn a_part_past_the_end_of_the_file() {
    let mut scene = Scene::new(|_, head| proper(&contents(), "\"a\"", head));
    let origin = |total| Origin { url: scene.server.url.clone(), version: Some("\"a\"".into()), total };
    // The server's end is where the part ends: it is whole.
    fs::write(scene.part(), contents()).unwrap();
    let path = scene.folder.path().join("file.part.json");
    wick_runs::write_json(&path, &origin(None)).unwrap();
    assert_eq!(scene.run(), Ok(Outcome::Pieces));
    // It is longer: it is none of this file.
    fs::write(scene.part(), [contents(), vec![0]].concat()).unwrap();
    assert!(scene.run().is_ok());
    assert_eq!(scene.received(), contents());
    assert_eq!(scene.ranges(), [Some(300_000), Some(300_001), None]);
}

#[test]
fn a_part_from_elsewhere_is_not_continued() {
    let mut scene = Scene::new(|_, head| proper(&contents(), "\"a\"", head));
    fs::write(scene.part(), "something else").unwrap();
    assert!(scene.run().is_ok());
    assert_eq!((scene.received(), scene.ranges()), (contents(), vec![None]));
}

#[test]
fn refusals_end_it() {
    for (status, tries) in [(404, 1), (403, 1), (410, 1), (500, 3), (503, 3), (429, 3)] {
        let mut scene = Scene::new(move |_, _| answer(status, &[], b"<html>no</html>"));
        let error = scene.run().unwrap_err();
        assert!(error.contains(&format!("status {status}")), "{error}");
        assert_eq!(scene.ranges().len(), tries, "{status}");
        assert!(!scene.part().exists(), "an error page is not the file");
    }
}

#[test]
fn a_server_that_recovers() {
    let mut scene = Scene::new(|i, head| match i {
        0 | 1 => answer(500, &[], b"busy"),
        _ => proper(&contents(), "\"a\"", head),
    });
    assert_eq!(scene.run(), Ok(Outcome::Whole));
    assert_eq!(scene.received(), contents());
}

#[test]
fn another_length_than_expected_is_not_downloaded() {
    let mut scene = Scene::new(|_, _| answer(200, &[], b"<html>Please log in.</html>"));
    let error = scene.run_expecting(Some(170_052_171)).unwrap_err();
    assert!(error.contains("it has 27 bytes, expected 170,052,171"), "{error}");
    assert_eq!(scene.ranges().len(), 1);
}

#[test]
fn always_dropping_gives_up() {
    let mut scene = Scene::new(|_, head| dropped(proper(&contents(), "\"a\"", head), 0));
    assert!(scene.run().is_err());
    assert_eq!(scene.ranges().len(), 3);
}

#[test]
fn no_server_at_all() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    for url in [format!("http://{address}/x"), "http://".into(), "no address".into()] {
        let (agent, part) = (test_agent(), folder.path().join("part"));
        let download = Download { agent: &agent, url: &url, part: &part, bytes: None, patience: PATIENCE };
        assert!(download.run(&mut Said::default()).is_err(), "{url}");
        assert!(!part.exists());
    }
}
