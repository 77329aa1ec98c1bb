//! `cargo xtask dataset fetch`: CIFAR-10, from the network or from an archive at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use ureq::Agent;
use wick_cifar::{Dataset, Variant, file_names};
use wick_runs::grouped;

use super::archive::unpack;
use super::checksum::Checksum;
use super::download::{self, Download, Outcome, Patience};
use super::progress::{Progress, Watch};

const URL: &str = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";

/// Download CIFAR-10 (162 MiB), check it and unpack it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to put it in
    #[arg(long, default_value = "data")]
    dir: PathBuf,
    /// Download from here instead
    #[arg(long, default_value = URL, conflicts_with = "from")]
    url: String,
    /// Unpack this archive instead of downloading one
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Take an archive with another checksum, too; lengths and labels are still checked
    #[arg(long)]
    no_verify: bool,
}

/// What to fetch: [`Args`], and what tests need otherwise.
struct Request<'a> {
    dir: &'a Path,
    source: Source<'a>,
    /// What the archive must be; anything, if `None`.
    expected: Option<Checksum>,
    agent: Agent,
    patience: Patience,
}

enum Source<'a> {
    Url(&'a str),
    File(&'a Path),
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let folder = obtain(&args)?;
    println!("use it with --data {}", folder.display());
    Ok(())
}

/// The data set's folder in `data/`, fetched unless it is there.
pub(crate) fn default_folder() -> anyhow::Result<PathBuf> {
    obtain(&Args { dir: "data".into(), url: URL.to_owned(), from: None, no_verify: false })
}

fn obtain(args: &Args) -> anyhow::Result<PathBuf> {
    let request = Request {
        dir: &args.dir,
        source: args.from.as_deref().map_or(Source::Url(&args.url), Source::File),
        expected: (!args.no_verify).then(Checksum::official),
        agent: download::agent(),
        patience: Patience { attempts: 5, pause: Duration::from_secs(1) },
    };
    fetch(&request, &mut Progress::new())
}

/// Fetches the data set unless it is there, and returns its folder.
fn fetch(request: &Request<'_>, watch: &mut dyn Watch) -> anyhow::Result<PathBuf> {
    let names = file_names(Variant::Cifar10);
    let folder = request.dir.join(names.folder);
    if folder.exists() {
        match wick_cifar::load(&folder) {
            Ok(dataset) => {
                watch.say(&format!("{} is there already: {}", folder.display(), describe(&dataset)));
                return Ok(folder);
            }
            Err(error) => watch.say(&format!("{} is there but not whole: {error}", folder.display())),
        }
    }
    fs::create_dir_all(request.dir).with_context(|| {
        format!("cannot make the folder {}; choose another with --dir", request.dir.display())
    })?;
    let archive = match request.source {
        Source::File(file) => {
            check(file, request.expected.as_ref())?;
            file.to_owned()
        }
        Source::Url(url) => get(request, url, &request.dir.join(names.archive), watch)?,
    };
    let dataset = install(&archive, &folder, watch)?;
    watch.say(&format!("{}: {}", folder.display(), describe(&dataset)));
    Ok(folder)
}

/// Downloads the archive, unless it is there, and checks it.
fn get(request: &Request<'_>, url: &str, archive: &Path, watch: &mut dyn Watch) -> anyhow::Result<PathBuf> {
    if archive.exists() {
        // Without a checksum there is no telling whether it is what the URL has.
        if request.expected.is_some() && check(archive, request.expected.as_ref()).is_ok() {
            watch.say(&format!("{} is there already", archive.display()));
            return Ok(archive.to_owned());
        }
        watch.say(&format!("{} is another archive, and will be replaced", archive.display()));
    }
    let mut part = archive.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let download = Download {
        agent: &request.agent,
        url,
        part: &part,
        bytes: request.expected.as_ref().map(|expected| expected.bytes),
        patience: request.patience,
    };
    watch.say(&format!("downloading {url}"));
    let by_hand = || by_hand(request.dir, archive);
    let outcome = download.run(watch).with_context(by_hand)?;
    let mut checked = check(&part, request.expected.as_ref());
    if let (Err(error), Outcome::Pieces) = (&checked, outcome) {
        // The pieces may be of different files, so the whole deserves one try.
        watch.say(&format!("{error:#}: starting over"));
        download.discard()?;
        download.run(watch).with_context(by_hand)?;
        checked = check(&part, request.expected.as_ref());
    }
    if checked.is_err() {
        download.discard()?; // It could not be continued to anything good.
    }
    checked.with_context(by_hand)?;
    download.finish(archive)?;
    Ok(archive.to_owned())
}

fn by_hand(dir: &Path, archive: &Path) -> String {
    let names = file_names(Variant::Cifar10);
    let official = Checksum::official();
    format!(
        "could not download CIFAR-10. Without a network, get {URL} ({} bytes, md5 {}) elsewhere and give it with \
         `--from FILE` or lay it at {}; or give a mirror with `--url URL`; or lay {} and {}, 30,730,000 bytes each, in {}. The \
         cause",
        grouped(official.bytes),
        official.md5,
        archive.display(),
        names.train.join(", "),
        names.test.join(", "),
        dir.join(names.folder).display(),
    )
}

/// Whether the archive is the one expected.
fn check(archive: &Path, expected: Option<&Checksum>) -> anyhow::Result<()> {
    let Some(expected) = expected else {
        fs::metadata(archive).with_context(|| format!("cannot read {}", archive.display()))?;
        return Ok(());
    };
    let got = Checksum::of(archive)?;
    if got != *expected {
        bail!(
            "{} is not the expected archive: expected {} bytes with md5 {}, got {} bytes with md5 {} (`--no-verify` takes \
             another copy that holds the same files)",
            archive.display(),
            grouped(expected.bytes),
            expected.md5,
            grouped(got.bytes),
            got.md5
        );
    }
    Ok(())
}

/// Unpacks the archive beside `folder`, looks whether it holds the data set, and only then renames it there.
fn install(archive: &Path, folder: &Path, watch: &mut dyn Watch) -> anyhow::Result<Dataset> {
    let dir = folder.parent().unwrap_or(Path::new("."));
    let write = || format!("cannot write to {}", dir.display());
    let beside = tempfile::Builder::new().prefix(".unpacking-").tempdir_in(dir).with_context(write)?;
    let contents = beside.path().join("contents");
    fs::create_dir(&contents).with_context(write)?;
    watch.say(&format!("unpacking {}", archive.display()));
    unpack(archive, &contents)?;

    let wrong = || format!("{} does not hold CIFAR-10 in the binary version", archive.display());
    let dataset =
        wick_cifar::load(&contents).map_err(|error| within(error, &contents)).with_context(wrong)?;
    if dataset.variant != Variant::Cifar10 {
        bail!("{}, but {}", wrong(), dataset.variant.name());
    }
    let inner = contents.join(file_names(Variant::Cifar10).folder);
    let unpacked = if inner.is_dir() { inner } else { contents };
    if folder.exists() {
        let aside = free_name(folder);
        fs::rename(folder, &aside).with_context(write)?;
        watch.say(&format!("what was in {} is now in {}", folder.display(), aside.display()));
    }
    fs::rename(unpacked, folder).with_context(write)?;
    Ok(dataset)
}

/// The error's words, less the temporary folder that will be gone when they are read.
fn within(error: wick_cifar::CifarError, contents: &Path) -> anyhow::Error {
    let text = format!("{:#}", anyhow!(error));
    let folder = contents.display().to_string();
    anyhow!(text.replace(&format!("{folder}/"), "").replace(&folder, "it"))
}

fn free_name(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let candidates = (1..).map(|i| folder.with_file_name(format!("{name}.broken-{i}")));
    candidates.into_iter().find(|path| !path.exists()).unwrap_or_else(|| folder.with_extension("broken"))
}

fn describe(dataset: &Dataset) -> String {
    let (train, test) = (grouped(dataset.train.len() as u64), grouped(dataset.test.len() as u64));
    format!("{train} training and {test} test images of {} classes", dataset.class_names.len())
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
