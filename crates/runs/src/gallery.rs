//! `gallery.safetensors`: the pictures that galleries and maps show, so that whoever shows them needs no data set.

use std::fs;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{RunsError, write_atomic};

/// Height and width of a picture.
pub const PICTURE_SIDE: usize = 32;
/// Bytes of a picture: height, width, then red, green and blue.
pub const PICTURE_BYTES: usize = PICTURE_SIDE * PICTURE_SIDE * 3;

/// Pictures of 32×32 pixels, each with its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PictureSet {
    /// Each picture's number.
    pub index: Vec<usize>,
    /// All pictures, `(N, 32, 32, 3)`, one after another.
    pub images: Vec<u8>,
}

/// The pictures of a run's galleries, in the order in which they are shown.
///
/// As safetensors: of each set `<set>.index`, i64 `(N)`, and `<set>.images`, u8 `(N, 32, 32, 3)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GalleryImages {
    /// Images that the network got wrong, by their index in the split that judges.
    pub misclassified: PictureSet,
    /// Images that the network got right by the least, by index.
    pub unsure: PictureSet,
    /// The mean of each class's images in the split that judges, by class.
    pub class_mean: PictureSet,
}

impl PictureSet {
    /// Adds a picture, whose bytes are `(32, 32, 3)`.
    pub fn push(&mut self, index: usize, picture: &[u8; PICTURE_BYTES]) {
        self.index.push(index);
        self.images.extend_from_slice(picture);
    }

    /// The picture with this number.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let place = self.index.iter().position(|i| *i == index)?;
        self.images.chunks_exact(PICTURE_BYTES).nth(place)
    }

    /// Every picture with its number, in order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.index.iter().copied().zip(self.images.chunks_exact(PICTURE_BYTES))
    }
}

impl GalleryImages {
    /// Writes the file.
    ///
    /// # Errors
    /// [`RunsError::Record`] where a set has more or fewer bytes than its pictures need; [`RunsError::Io`] where the file
    /// cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RunsError> {
        let sets = [
            ("misclassified", &self.misclassified),
            ("unsure", &self.unsure),
            ("class_mean", &self.class_mean),
        ];
        let bad = |expected: String, got: String| RunsError::Record { path: path.to_owned(), expected, got };
        for (name, set) in sets {
            if set.images.len() != set.index.len() * PICTURE_BYTES {
                let expected = format!("{PICTURE_BYTES} bytes for each of {} {name} images", set.index.len());
                return Err(bad(expected, format!("{} bytes", set.images.len())));
            }
        }
        let numbers = sets.map(|(_, set)| set.index.iter().flat_map(|&i| (i as i64).to_le_bytes()).collect());
        let mut tensors = Vec::new();
        let unfit =
            |e: safetensors::SafeTensorError| bad("tensors of their shapes".to_owned(), e.to_string());
        for ((name, set), numbers) in sets.into_iter().zip(&numbers) {
            let (n, numbers): (usize, &Vec<u8>) = (set.index.len(), numbers);
            let index = TensorView::new(Dtype::I64, vec![n], numbers).map_err(unfit)?;
            let shape = vec![n, PICTURE_SIDE, PICTURE_SIDE, 3];
            let images = TensorView::new(Dtype::U8, shape, &set.images).map_err(unfit)?;
            tensors.extend([(format!("{name}.index"), index), (format!("{name}.images"), images)]);
        }
        write_atomic(path, &safetensors::serialize(tensors, None).map_err(unfit)?)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`RunsError::Missing`] or [`RunsError::Io`] where it cannot be read, [`RunsError::Gallery`] where it is damaged or
    /// another's.
    pub fn read(path: &Path) -> Result<Self, RunsError> {
        let bytes = fs::read(path).map_err(RunsError::io("read", path))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| RunsError::Gallery {
            path: path.to_owned(),
            expected: "a safetensors file".to_owned(),
            got: e.to_string(),
        })?;
        let set = |name| read_set(&file, name).map_err(|reason| reason.at(path));
        Ok(Self {
            misclassified: set("misclassified")?,
            unsure: set("unsure")?,
            class_mean: set("class_mean")?,
        })
    }
}

/// What is wrong with a file whose path is not at hand.
struct Unfit {
    expected: String,
    got: String,
}

impl Unfit {
    fn at(self, path: &Path) -> RunsError {
        RunsError::Gallery { path: path.to_owned(), expected: self.expected, got: self.got }
    }
}

fn read_set(file: &SafeTensors<'_>, set: &str) -> Result<PictureSet, Unfit> {
    let index = tensor(file, &format!("{set}.index"), Dtype::I64, "N")?;
    let [n] = index.shape() else {
        return Err(unlike(&format!("{set}.index"), "I64 of shape N", &index));
    };
    let images = tensor(file, &format!("{set}.images"), Dtype::U8, "N×32×32×3")?;
    if images.shape() != [*n, PICTURE_SIDE, PICTURE_SIDE, 3] {
        return Err(unlike(&format!("{set}.images"), &format!("U8 of shape {n}×32×32×3"), &images));
    }
    let numbers = index.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b));
    let index = numbers.map(|i| {
        usize::try_from(i).map_err(|_| Unfit {
            expected: format!("indices from 0 on in `{set}.index`"),
            got: i.to_string(),
        })
    });
    Ok(PictureSet { index: index.collect::<Result<_, _>>()?, images: images.data().to_vec() })
}

fn tensor<'a>(
    file: &SafeTensors<'a>,
    name: &str,
    dtype: Dtype,
    shape: &str,
) -> Result<TensorView<'a>, Unfit> {
    let expected = format!("{dtype:?} of shape {shape}");
    match file.tensor(name) {
        Ok(view) if view.dtype() == dtype => Ok(view),
        Ok(view) => Err(unlike(name, &expected, &view)),
        Err(_) => Err(Unfit { expected: format!("`{name}`, {expected}"), got: "no such tensor".to_owned() }),
    }
}

fn unlike(name: &str, expected: &str, view: &TensorView<'_>) -> Unfit {
    let sides: Vec<String> = view.shape().iter().map(usize::to_string).collect();
    let got = format!("{:?} of shape {}", view.dtype(), sides.join("×"));
    Unfit { expected: format!("`{name}`, {expected}"), got }
}
