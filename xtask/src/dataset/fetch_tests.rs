use super::super::archive::tests::{archive_of, entry};
use super::super::download::tests::test_agent;
use super::super::test_server::{Head, Said, Server, answer, dropped, proper};
use super::*;
use tar::EntryType;

/// A small data set as an archive.
fn archive() -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    wick_cifar::write_folder(&wick_cifar::synthetic_dataset(5, 25, 10), scratch.path()).unwrap();
    let names = file_names(Variant::Cifar10);
    let mut entries = vec![entry(EntryType::Directory, "cifar-10-batches-bin/", b"")];
    for file in names.train.iter().chain(names.test).chain([&names.class_names]) {
        let path = format!("{}/{file}", names.folder);
        entries.push(entry(EntryType::Regular, &path, &fs::read(scratch.path().join(file)).unwrap()));
    }
    archive_of(&entries)
}

struct Scene {
    folder: tempfile::TempDir,
    expected: Option<Checksum>,
    said: Said,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        fs::write(&path, archive()).unwrap();
        let expected = Some(Checksum::of(&path).unwrap());
        fs::remove_file(path).unwrap();
        Self { folder, expected, said: Said::default() }
    }

    fn fetch(&mut self, source: Source<'_>) -> Result<PathBuf, String> {
        let dir = self.dir();
        let patience = Patience { attempts: 2, pause: Duration::ZERO };
        let request =
            Request { dir: &dir, source, expected: self.expected.clone(), agent: test_agent(), patience };
        fetch(&request, &mut self.said).map_err(|error| format!("{error:#}"))
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything in the data folder, by name.
    fn left(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.dir()) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn good() -> impl FnMut(usize, &Head) -> Vec<u8> + Send + 'static {
    |_, head| proper(&archive(), "\"a\"", head)
}

#[test]
fn downloads_checks_and_unpacks_once() {
    let (mut scene, server) = (Scene::new(), Server::start(good()));
    let folder = scene.fetch(Source::Url(&server.url)).unwrap();
    let dataset = wick_cifar::load(&folder).unwrap();
    let expected = wick_cifar::synthetic_dataset(5, 25, 10);
    assert_eq!((dataset.train, dataset.test), (expected.train, expected.test));
    assert_eq!(scene.left(), ["cifar-10-batches-bin", "cifar-10-binary.tar.gz"]);

    scene.fetch(Source::Url(&server.url)).unwrap();
    assert!(scene.said.has("is there already: 25 training and 10 test images"));
    fs::remove_dir_all(&folder).unwrap();
    scene.fetch(Source::Url(&server.url)).unwrap();
    assert!(scene.said.has("cifar-10-binary.tar.gz is there already"));
    assert_eq!(server.ranges().len(), 1);
}

#[test]
fn a_drop_midway_is_continued() {
    let mut scene = Scene::new();
    let server = Server::start(|i, head| {
        let whole = proper(&archive(), "\"a\"", head);
        if i == 0 { dropped(whole, 5000) } else { whole }
    });
    scene.fetch(Source::Url(&server.url)).unwrap();
    assert_eq!(server.ranges(), [None, Some("bytes=5000-".to_owned())]);
}

#[test]
fn a_damaged_archive_is_not_unpacked() {
    let mut scene = Scene::new();
    let server = Server::start(|_, head| {
        let mut file = archive();
        let middle = file.len() / 2;
        file[middle] ^= 1;
        proper(&file, "\"a\"", head)
    });
    let error = scene.fetch(Source::Url(&server.url)).unwrap_err();
    assert!(error.contains("is not the expected archive") && error.contains("--from FILE"), "{error}");
    assert!(scene.left().is_empty(), "{:?}", scene.left());
    assert_eq!(server.ranges().len(), 1);
}

#[test]
fn pieces_that_do_not_fit_are_fetched_again_as_one() {
    // The file changes, keeps its length, and the server gives no sign of it.
    let plain = |file: &[u8], head: &Head| match head.get("range") {
        Some(_) => {
            let range = format!("bytes 5000-{}/{}", file.len() - 1, file.len());
            answer(206, &[("Content-Range", &range)], &file[5000..])
        }
        None => answer(200, &[], file),
    };
    let other = vec![0; archive().len()];
    let mut scene = Scene::new();
    let server = Server::start(move |i, head| match i {
        0 => dropped(plain(&other, head), 5000),
        _ => plain(&archive(), head),
    });
    scene.fetch(Source::Url(&server.url)).unwrap();
    assert_eq!(server.ranges(), [None, Some("bytes=5000-".to_owned()), None]);
    assert_eq!(scene.left(), ["cifar-10-batches-bin", "cifar-10-binary.tar.gz"]);
}

#[test]
fn without_a_server_it_says_what_to_do() {
    let mut scene = Scene::new();
    let server = Server::start(|_, _| answer(404, &[], b""));
    let error = scene.fetch(Source::Url(&server.url)).unwrap_err();
    for words in
        ["--from FILE", "--url URL", "170,052,171 bytes", "data_batch_5.bin", "30,730,000", "status 404"]
    {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(!error.contains('\n'), "one paragraph");
}

#[test]
fn from_an_archive_at_hand() {
    let mut scene = Scene::new();
    let file = scene.folder.path().join("mine.tar.gz");
    fs::write(&file, archive()).unwrap();
    scene.fetch(Source::File(&file)).unwrap();
    assert_eq!(scene.left(), ["cifar-10-batches-bin"], "the archive stays where it is");
    let error = Scene::new().fetch(Source::File(Path::new("/none"))).unwrap_err();
    assert!(error.contains("cannot read /none"), "{error}");
}

#[test]
fn another_copy_needs_no_verify() {
    let mut scene = Scene::new();
    scene.expected = Some(Checksum::official());
    let file = scene.folder.path().join("mine.tar.gz");
    fs::write(&file, archive()).unwrap();
    let error = scene.fetch(Source::File(&file)).unwrap_err();
    assert!(error.contains("c32a1d4ab5d03f1284b67883e8d87530") && error.contains("--no-verify"), "{error}");
    scene.expected = None;
    scene.fetch(Source::File(&file)).unwrap();
}

#[test]
fn without_a_checksum_lengths_and_labels_still_count() {
    let mut scene = Scene::new();
    scene.expected = None;
    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("short", vec![0; 3072], "3072 bytes long"),
        ("label", [vec![10], vec![0; 3072]].concat(), "label 10"),
        ("evil", Vec::new(), "leads out"),
        ("none", Vec::new(), "does not hold CIFAR-10"),
    ];
    for (name, contents, why) in cases {
        let names = file_names(Variant::Cifar10);
        let paths: Vec<_> = match name {
            "evil" => vec!["../data_batch_1.bin".to_owned()],
            "none" => vec!["readme".to_owned()],
            _ => {
                names.train.iter().chain(names.test).map(|file| format!("{}/{file}", names.folder)).collect()
            }
        };
        let entries: Vec<_> = paths.iter().map(|path| entry(EntryType::Regular, path, &contents)).collect();
        let file = scene.folder.path().join(name);
        fs::write(&file, archive_of(&entries)).unwrap();
        let error = scene.fetch(Source::File(&file)).unwrap_err();
        assert!(error.contains(why), "{name}: {error}");
        assert!(!error.contains(".unpacking"), "{error}");
        assert!(scene.left().is_empty(), "{name}: {:?}", scene.left());
    }
}

#[test]
fn a_broken_folder_is_set_aside() {
    let mut scene = Scene::new();
    let broken = scene.dir().join("cifar-10-batches-bin");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("data_batch_1.bin"), "half of it").unwrap();
    let server = Server::start(good());
    let folder = scene.fetch(Source::Url(&server.url)).unwrap();
    assert_eq!(wick_cifar::load(&folder).unwrap().train.len(), 25);
    assert!(scene.said.has("is now in"));
    let kept = scene.dir().join("cifar-10-batches-bin.broken-1/data_batch_1.bin");
    assert_eq!(fs::read(kept).unwrap(), b"half of it");
}

#[test]
fn another_archive_in_its_place_is_replaced_and_said() {
    let mut scene = Scene::new();
    fs::create_dir(scene.dir()).unwrap();
    fs::write(scene.dir().join("cifar-10-binary.tar.gz"), "another").unwrap();
    let server = Server::start(good());
    scene.fetch(Source::Url(&server.url)).unwrap();
    assert!(scene.said.has("is another archive, and will be replaced"));
}

#[test]
fn a_folder_that_cannot_be_made() {
    let mut scene = Scene::new();
    fs::write(scene.dir(), "a file").unwrap();
    let error = scene.fetch(Source::Url("http://127.0.0.1:9/")).unwrap_err();
    assert!(error.contains("cannot make the folder") && error.contains("--dir"), "{error}");
}
