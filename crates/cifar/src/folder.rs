//! Reading from a folder, and finding out what was given.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::records::{CHUNK, Columns, Rows};
use crate::{CifarError, Dataset, FileNames, Variant, archive, file_names, names};

/// Reads a data set of either variant, in the official binary version.
///
/// `path` is the folder that holds the `.bin` files, or a folder that holds this folder under its official name
/// (`cifar-10-batches-bin`, `cifar-100-binary`), or the `.tar.gz`. The variant is told by the names of the files.
/// All of [`file_names`]' training and test files must be there. Each may hold any whole number of records but
/// none, so that smaller subsets can be read; whether it is the official number is for the caller to judge. Class names
/// come from `batches.meta.txt` or `fine_label_names.txt`, and are the official ones if there is no such file.
///
/// Memory: that of the images and labels, and some 200 KiB for each of at most four threads.
///
/// # Errors
/// Every variant of [`CifarError`] but `Lengths` and `AlreadyThere`; of several faults in a folder, the first in the order of
/// the files.
pub fn load(path: &Path) -> Result<Dataset, CifarError> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => {
            let (variant, folder) = locate(path)?;
            load_folder(variant, &folder)
        }
        Ok(_) => archive::load(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(CifarError::NotFound { path: path.to_path_buf() })
        }
        Err(source) => Err(CifarError::io("read", path, source)),
    }
}

/// The names of all data files of a variant.
pub(crate) fn data_files(names: &FileNames) -> Vec<&'static str> {
    names.train.iter().chain(names.test).copied().collect()
}

/// What the Python version's folder is called, its files, and the archive to get instead.
pub(crate) const PYTHON: [(&str, &[&str], &str); 2] = [
    ("cifar-10-batches-py", &["data_batch_1", "batches.meta"], "cifar-10-binary.tar.gz"),
    ("cifar-100-python", &["train", "test", "meta"], "cifar-100-binary.tar.gz"),
];

fn locate(path: &Path) -> Result<(Variant, PathBuf), CifarError> {
    let mut found = Vec::new();
    for variant in Variant::ALL {
        let files = data_files(&file_names(variant));
        if let Some(file) = files.into_iter().find(|file| path.join(file).exists()) {
            found.push((variant, path.to_path_buf(), file));
        }
    }
    if found.is_empty() {
        for variant in Variant::ALL {
            let name = file_names(variant).folder;
            if path.join(name).is_dir() {
                found.push((variant, path.join(name), name));
            }
        }
    }
    match found.as_slice() {
        [] => Err(nothing_in(path)),
        [(variant, folder, _)] => Ok((*variant, folder.clone())),
        [(.., first), (.., second), ..] => Err(CifarError::Ambiguous {
            path: path.to_path_buf(),
            first: first.to_string(),
            second: second.to_string(),
        }),
    }
}

fn nothing_in(path: &Path) -> CifarError {
    for (folder, files, archive) in PYTHON {
        let found = if path.join(folder).is_dir() {
            folder.to_owned()
        } else if files.iter().all(|file| path.join(file).is_file()) {
            files.join(", ")
        } else {
            continue;
        };
        return CifarError::PythonVersion { path: path.to_path_buf(), found, archive };
    }
    CifarError::nothing_here(path)
}

/// An opened file and how many records it holds.
struct Source {
    path: PathBuf,
    file: File,
    count: usize,
}

/// A file to read, and where to.
struct Job<'a> {
    source: Source,
    rows: Rows<'a>,
}

fn load_folder(variant: Variant, folder: &Path) -> Result<Dataset, CifarError> {
    let names = file_names(variant);
    let open = |files: &[&'static str]| -> Result<Vec<Source>, CifarError> {
        files.iter().map(|name| Source::open(variant, folder, name)).collect()
    };
    let (train_files, test_files) = (open(names.train)?, open(names.test)?);
    let class_names = class_names(variant, &folder.join(names.class_names))?;

    let (mut train, mut test) = (room(variant, folder, &train_files)?, room(variant, folder, &test_files)?);
    let mut jobs = assign(train_files, train.rows());
    jobs.extend(assign(test_files, test.rows()));
    read_all(variant, jobs)?;
    Ok(Dataset { variant, class_names, train: train.into_split(variant), test: test.into_split(variant) })
}

impl Source {
    fn open(variant: Variant, folder: &Path, name: &'static str) -> Result<Self, CifarError> {
        let path = folder.join(name);
        // A pipe or a folder of this name is no data file, and opening a pipe would wait for ever.
        if !path.is_file() {
            let all = data_files(&file_names(variant));
            return Err(CifarError::MissingFile { path: folder.to_path_buf(), expected: name, all });
        }
        let file = File::open(&path).map_err(|source| CifarError::io("open", &path, source))?;
        let got = file.metadata().map_err(|source| CifarError::io("read", &path, source))?.len();
        let count = record_count(variant, name, &path, got)?;
        Ok(Self { path, file, count })
    }
}

/// How many records are in a file of `got` bytes.
pub(crate) fn record_count(variant: Variant, name: &str, path: &Path, got: u64) -> Result<usize, CifarError> {
    let record = variant.record_bytes();
    let count = usize::try_from(got / record as u64).unwrap_or(usize::MAX);
    if count == 0 || !got.is_multiple_of(record as u64) {
        return Err(CifarError::WrongLength {
            path: path.to_path_buf(),
            offset: got - got % record as u64,
            expected: (variant.official_count(name) * record) as u64,
            got,
            record,
        });
    }
    Ok(count)
}

fn class_names(variant: Variant, path: &Path) -> Result<Vec<String>, CifarError> {
    if !path.is_file() {
        return Ok(variant.class_names());
    }
    let list = File::open(path).map_err(|source| CifarError::io("open", path, source))?;
    names::read(list, variant, path)
}

fn room(variant: Variant, folder: &Path, sources: &[Source]) -> Result<Columns, CifarError> {
    let n = sources.iter().fold(0_usize, |n, source| n.saturating_add(source.count));
    Columns::zeroed(variant, n).map_err(|_| CifarError::memory(folder, n as u64))
}

fn assign(sources: Vec<Source>, mut rows: Rows<'_>) -> Vec<Job<'_>> {
    let mut jobs = Vec::with_capacity(sources.len());
    for source in sources {
        let (here, rest) = rows.split_at(source.count);
        jobs.push(Job { source, rows: here });
        rows = rest;
    }
    jobs
}

/// Reads every file, several at once. The first thread's turn is copying from the page cache while another's is
/// sorting bytes, so that even two cores gain.
fn read_all(variant: Variant, jobs: Vec<Job<'_>>) -> Result<(), CifarError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let first_fault = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, job)) = lock(&queue).next() {
                    if let Err(error) = read(variant, job) {
                        let mut fault = lock(&first_fault);
                        if fault.as_ref().is_none_or(|(other, _)| number < *other) {
                            *fault = Some((number, error));
                        }
                    }
                }
            });
        }
    });
    match lock(&first_fault).take() {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// A thread that panicked cannot have left these half-written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(variant: Variant, job: Job<'_>) -> Result<(), CifarError> {
    let Job { source: Source { path, mut file, mut count }, mut rows } = job;
    let mut buffer = vec![0; CHUNK.min(count) * variant.record_bytes()];
    let mut offset = 0;
    while count > 0 {
        let n = CHUNK.min(count);
        let chunk = &mut buffer[..n * variant.record_bytes()];
        file.read_exact(chunk).map_err(|source| CifarError::io("read", &path, source))?;
        let (here, rest) = rows.split_at(n);
        here.decode(variant, chunk, offset, &path)?;
        rows = rest;
        offset += chunk.len() as u64;
        count -= n;
    }
    Ok(())
}
