//! The members of the archive, in whatever order they come.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::watched::Progress;
use crate::folder::{PYTHON, data_files, record_count};
use crate::records::{CHUNK, Columns};
use crate::{CifarError, Dataset, Variant, file_names, names};

/// Which of its variant's files a data file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Train(usize),
    Test,
}

/// A file inside the archive.
struct Member<'a, R> {
    /// The archive's path and the member's.
    path: PathBuf,
    size: u64,
    content: &'a mut R,
}

pub(super) struct Reading<'a> {
    path: &'a Path,
    progress: Rc<Progress>,
    /// Known from the first data file on, whose path this is.
    variant: Option<(Variant, PathBuf)>,
    /// The list of each variant's class names, where there is one.
    name_lists: [Option<(PathBuf, Vec<u8>)>; 2],
    /// Data files read so far and how many records each had.
    seen: Vec<(Place, usize)>,
    python: Option<CifarError>,
    train: Columns,
    test: Columns,
}

impl<'a> Reading<'a> {
    pub(super) fn new(path: &'a Path, progress: Rc<Progress>) -> Self {
        Self {
            path,
            progress,
            variant: None,
            name_lists: [None, None],
            seen: Vec::new(),
            python: None,
            train: Columns::new(),
            test: Columns::new(),
        }
    }

    pub(super) fn members<R: Read>(&mut self, archive: &mut tar::Archive<R>) -> Result<(), CifarError> {
        // Raw: extension headers are passed over, not read whole into memory. CIFAR's names are short and need none.
        let entries = archive.entries().map_err(|source| self.header_fault(0, source))?.raw(true);
        for (count, entry) in entries.enumerate() {
            let mut entry = entry.map_err(|source| self.header_fault(count, source))?;
            let path = PathBuf::from(String::from_utf8_lossy(&entry.path_bytes()).into_owned());
            self.look_for_python(&path);
            if entry.header().entry_type().is_file() {
                let size = entry.size();
                self.file(&path, size, &mut entry)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, size: u64, content: &mut impl Read) -> Result<(), CifarError> {
        let called = |name: &&'static str| path.file_name().is_some_and(|own| own == *name);
        let member = Member { path: self.path.join(path), size, content };
        for (k, variant) in Variant::ALL.into_iter().enumerate() {
            let names = file_names(variant);
            if let Some(number) = names.train.iter().position(called) {
                return self.data(variant, Place::Train(number), names.train[number], member);
            }
            if let Some(name) = names.test.iter().find(|name| called(name)) {
                return self.data(variant, Place::Test, name, member);
            }
            if called(&names.class_names) {
                self.name_lists[k] = Some(self.name_list(names.class_names, member)?);
                return Ok(());
            }
        }
        Ok(())
    }

    fn name_list<R: Read>(
        &self,
        name: &str,
        member: Member<'_, R>,
    ) -> Result<(PathBuf, Vec<u8>), CifarError> {
        let mut bytes = Vec::new();
        let result = member.content.take(names::LIMIT).read_to_end(&mut bytes);
        result.map_err(|source| self.fault(name, member.size, bytes.len() as u64, source))?;
        Ok((member.path, bytes))
    }

    fn data<R: Read>(
        &mut self,
        variant: Variant,
        place: Place,
        name: &'static str,
        member: Member<'_, R>,
    ) -> Result<(), CifarError> {
        let (known, first) = self.variant.get_or_insert_with(|| (variant, member.path.clone()));
        if *known != variant || self.seen.iter().any(|(other, _)| *other == place) {
            return Err(CifarError::Ambiguous {
                path: self.path.to_path_buf(),
                first: first.display().to_string(),
                second: member.path.display().to_string(),
            });
        }
        let count = record_count(variant, name, &member.path, member.size)?;
        let no_memory = |_| CifarError::memory(self.path, count as u64);
        let columns = match place {
            Place::Train(_) => &mut self.train,
            Place::Test => &mut self.test,
        };
        // Address space for the whole official split, so that the columns need not move when they grow; memory is
        // taken only as they fill.
        if columns.is_empty() {
            let files = if place == Place::Test { 1 } else { file_names(variant).train.len() };
            columns.reserve(variant.official_count(name) * files).map_err(no_memory)?;
        }

        let mut buffer = vec![0; CHUNK.min(count) * variant.record_bytes()];
        let mut offset = 0;
        while offset < member.size {
            let left = usize::try_from(member.size - offset).unwrap_or(usize::MAX);
            let wanted = left.min(buffer.len());
            let (got, fault) = fill(member.content, &mut buffer[..wanted]);
            if got < wanted {
                let source = fault.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
                return Err(self.fault(name, member.size, offset + got as u64, source));
            }
            let rows = columns.grow(variant, wanted / variant.record_bytes()).map_err(no_memory)?;
            rows.decode(variant, &buffer[..wanted], offset, &member.path)?;
            offset += wanted as u64;
        }

        // Later files that came earlier stay behind it.
        if let Place::Train(number) = place {
            let before = |(other, n): &(Place, usize)| match other {
                Place::Train(other) if *other < number => *n,
                _ => 0,
            };
            self.train.move_last(count, self.seen.iter().map(before).sum());
        }
        self.seen.push((place, count));
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Dataset, CifarError> {
        let Some((variant, _)) = self.variant else {
            return Err(self.python.unwrap_or_else(|| CifarError::nothing_here(self.path)));
        };
        let names = file_names(variant);
        let places = (0..names.train.len()).map(Place::Train).chain([Place::Test]);
        for (place, &expected) in places.zip(names.train.iter().chain(names.test)) {
            if !self.seen.iter().any(|(seen, _)| *seen == place) {
                let all = data_files(&names);
                return Err(CifarError::MissingFile { path: self.path.to_path_buf(), expected, all });
            }
        }
        let list = self.name_lists.into_iter().zip(Variant::ALL).find(|(_, of)| *of == variant);
        let class_names = match list {
            Some((Some((path, bytes)), _)) => names::read(bytes.as_slice(), variant, &path)?,
            _ => variant.class_names(),
        };
        let (train, test) = (self.train.into_split(variant), self.test.into_split(variant));
        Ok(Dataset { variant, class_names, train, test })
    }

    fn look_for_python(&mut self, member: &Path) {
        for (folder, files, archive) in PYTHON {
            let inside = member.components().any(|part| part.as_os_str() == folder);
            if inside || member.file_name().is_some_and(|name| name == files[0] && name != "train") {
                let found = member.display().to_string();
                self.python.get_or_insert(CifarError::PythonVersion {
                    path: self.path.to_path_buf(),
                    found,
                    archive,
                });
            }
        }
    }

    /// An error of the tar reader at the header after `count` members, or while it passed over the last one.
    fn header_fault(&self, count: usize, source: io::Error) -> CifarError {
        if count == 0 && !self.progress.failed.get() {
            let reason = format!("what it unpacks to is no tar archive ({source})");
            return CifarError::NotAnArchive { path: self.path.to_path_buf(), reason };
        }
        const HEADER: u64 = 512;
        self.fault("a header or a file passed over", HEADER, self.progress.offset.get() % HEADER, source)
    }

    /// An error after `got` of the `expected` bytes of a member.
    pub(super) fn fault(&self, file: &str, expected: u64, got: u64, source: io::Error) -> CifarError {
        let (path, file, offset) = (self.path.to_path_buf(), file.to_owned(), self.progress.offset.get());
        if self.progress.ended.get() {
            CifarError::Truncated { path, file, offset, expected, got }
        } else {
            CifarError::Damaged { path, file, offset, source }
        }
    }
}

/// Reads until `buffer` is full, the content ends or fails; how much it was, and the failure.
fn fill(content: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut got = 0;
    while got < buffer.len() {
        match content.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (got, Some(error)),
        }
    }
    (got, None)
}
