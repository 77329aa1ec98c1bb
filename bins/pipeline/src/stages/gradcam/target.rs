//! What is explained: `--target`.

use anyhow::{Result, bail, ensure};
use wick_gradcam::Target;

use super::images::Judged;

/// A score of the network's, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Each image's predicted class.
    Predicted,
    /// One class.
    Class(usize),
    /// One class rather than another.
    Difference(usize, usize),
}

impl Asked {
    /// Reads a class by name or number, or a difference such as `cat-dog` or `3-5`. A name that holds a hyphen itself is read as
    /// that first.
    pub fn read(asked: Option<&str>, names: &[String]) -> Result<Self> {
        let Some(asked) = asked else { return Ok(Self::Predicted) };
        if let Some(class) = class(asked, names) {
            return Ok(Self::Class(class));
        }
        for (at, _) in asked.match_indices('-') {
            if let (Some(of), Some(and)) = (class(&asked[..at], names), class(&asked[at + 1..], names)) {
                ensure!(of != and, "--target {asked} is the difference of a class and itself; name two");
                return Ok(Self::Difference(of, and));
            }
        }
        if asked.parse::<usize>().is_ok() {
            bail!("--target {asked} is no class; they are numbered 0 to {}", names.len() - 1);
        }
        bail!(
            "--target {asked} is no class, nor the difference of two, such as {}-{}; the network tells apart {}",
            names[0],
            names[names.len() - 1],
            names.join(", ")
        )
    }

    /// For so many images; of those that were judged, the predicted class is what was said then.
    pub fn target(self, images: usize, judged: Option<&[Judged]>) -> Target {
        match (self, judged) {
            (Self::Predicted, Some(judged)) => {
                Target::Classes(judged.iter().map(|j| j.predicted as u32).collect())
            }
            (Self::Predicted, None) => Target::Predicted,
            (Self::Class(class), _) => Target::Class(class as u32),
            (Self::Difference(of, and), _) => {
                Target::Difference { of: vec![of as u32; images], and: vec![and as u32; images] }
            }
        }
    }

    /// The class spoken for in an image.
    pub fn class(self, predicted: usize) -> usize {
        match self {
            Self::Predicted => predicted,
            Self::Class(class) | Self::Difference(class, _) => class,
        }
    }

    /// The class that it is told from.
    pub fn against(self) -> Option<usize> {
        match self {
            Self::Predicted | Self::Class(_) => None,
            Self::Difference(_, and) => Some(and),
        }
    }

    /// The same of one image, whose predicted class is named.
    pub fn of(self, predicted: usize) -> Self {
        if self == Self::Predicted { Self::Class(predicted) } else { self }
    }

    /// In words.
    pub fn words(self, names: &[String]) -> String {
        match self {
            Self::Predicted => "the predicted class".to_owned(),
            Self::Class(class) => names[class].clone(),
            Self::Difference(of, and) => format!("{} rather than {}", names[of], names[and]),
        }
    }
}

fn class(asked: &str, names: &[String]) -> Option<usize> {
    let number = || asked.parse().ok().filter(|&class| class < names.len());
    names.iter().position(|n| n.eq_ignore_ascii_case(asked)).or_else(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(asked: &str) -> Result<Asked> {
        Asked::read(Some(asked), &["cat", "dog", "t-rex"].map(str::to_owned))
    }

    #[test]
    fn classes_by_name_and_number_and_their_differences() {
        for (asked, expected) in [
            ("dog", Asked::Class(1)),
            ("2", Asked::Class(2)),
            ("t-rex", Asked::Class(2)),
            ("cat-dog", Asked::Difference(0, 1)),
            ("t-rex-cat", Asked::Difference(2, 0)),
            ("cat-t-rex", Asked::Difference(0, 2)),
            ("1-0", Asked::Difference(1, 0)),
        ] {
            assert_eq!(read(asked).unwrap(), expected, "{asked}");
        }
        assert_eq!(Asked::read(None, &[]).unwrap(), Asked::Predicted);
    }

    #[test]
    fn what_was_said_of_judged_images_is_explained() {
        let judged = [2, 0].map(|predicted| Judged { index: 7, truth: 1, predicted, probability: 0.5 });
        let target = |asked: Asked, judged| format!("{:?}", asked.target(2, judged));
        assert_eq!(target(Asked::Predicted, Some(&judged[..])), "Classes([2, 0])");
        assert_eq!(target(Asked::Predicted, None), "Predicted");
        assert_eq!(target(Asked::Class(1), Some(&judged)), "Class(1)");
    }

    #[test]
    fn what_is_none_says_what_there_is() {
        for (asked, words) in [
            ("3", "numbered 0 to 2"),
            ("cow", "apart cat, dog, t-rex"),
            ("cat-cow", "such as cat-t-rex"),
            ("cat-cat", "a class and itself"),
            ("", "is no class"),
        ] {
            let told = read(asked).unwrap_err().to_string();
            assert!(told.contains(words), "{asked}: {told}");
        }
    }
}
