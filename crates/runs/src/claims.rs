//! `claims.json`: what was published, what was measured.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{RunsError, read_json, write_json};

/// What was published and what was measured, one claim a line of the table that [`Claims::table`] draws.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims {
    /// In the order they are shown.
    pub claims: Vec<Claim>,
}

/// One published figure, and what was measured in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// What the figure is, for a reader: `test accuracy, last epoch`.
    pub name: String,
    /// How close the measured value must come.
    pub kind: Kind,
    /// How the values are shown.
    #[serde(default)]
    pub unit: Unit,
    /// What each number of a list is of, such as its class, where that has a name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// The published value.
    pub published: Value,
    /// The measured value, where there is one.
    pub measured: Option<Value>,
    /// Whether they agree.
    pub verdict: Verdict,
}

/// How close a measured value must come to the published one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Equal to the last bit, each number of a list.
    Exact,
    /// Each number within `tolerance` of the published one, in the values' own unit.
    Within {
        /// The greatest difference allowed.
        tolerance: f64,
    },
}

/// How a value is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// As it is.
    #[default]
    Number,
    /// A fraction, shown as per cent.
    Fraction,
}

/// A figure: a whole number, a number or a list of numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A list of numbers.
    Numbers(Vec<f64>),
}

/// Whether the published and the measured value agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As close as asked.
    Matches,
    /// Not as close as asked.
    Differs,
    /// The run was not one the published figure speaks of.
    NotComparable {
        /// The reason.
        why: String,
    },
}

impl Claims {
    /// Reads the claims of a run.
    ///
    /// # Errors
    /// As [`read_json`].
    pub fn read(path: &Path) -> Result<Self, RunsError> {
        read_json(path)
    }

    /// Writes the claims of a run.
    ///
    /// # Errors
    /// As [`write_json`].
    pub fn write(&self, path: &Path) -> Result<(), RunsError> {
        write_json(path, self)
    }

    /// How many claims (match, differ, are not comparable).
    pub fn count(&self) -> (usize, usize, usize) {
        self.claims.iter().fold((0, 0, 0), |(matches, differs, other), claim| match claim.verdict {
            Verdict::Matches => (matches + 1, differs, other),
            Verdict::Differs => (matches, differs + 1, other),
            Verdict::NotComparable { .. } => (matches, differs, other + 1),
        })
    }
}

impl Claim {
    /// Compares a measured value with the published one.
    ///
    /// A list agrees where it is as long and each of its numbers agrees; NaN agrees with nothing, and nothing is within a
    /// tolerance of infinity. A tolerance is taken
    /// with a rounding error of 1e-12 (relative), so that 0.9182 is within 0.004 of 0.9222.
    pub fn judge(
        name: impl Into<String>,
        kind: Kind,
        published: impl Into<Value>,
        measured: impl Into<Value>,
    ) -> Self {
        let (published, measured) = (published.into(), measured.into());
        let verdict = if agree(kind, &published, &measured) { Verdict::Matches } else { Verdict::Differs };
        Self { measured: Some(measured), verdict, ..Self::unjudged(name.into(), kind, published) }
    }

    /// A claim that the run cannot speak to, whatever it measured.
    pub fn not_comparable(
        name: impl Into<String>,
        kind: Kind,
        published: impl Into<Value>,
        measured: Option<Value>,
        why: impl Into<String>,
    ) -> Self {
        let verdict = Verdict::NotComparable { why: why.into() };
        Self { measured, verdict, ..Self::unjudged(name.into(), kind, published.into()) }
    }

    fn unjudged(name: String, kind: Kind, published: Value) -> Self {
        let (parts, verdict) = (Vec::new(), Verdict::Differs);
        Self { name, kind, unit: Unit::Number, parts, published, measured: None, verdict }
    }

    /// The same claim, with its values shown as per cent.
    #[must_use]
    pub fn in_percent(self) -> Self {
        Self { unit: Unit::Fraction, ..self }
    }

    /// The same claim, with a name for each number of its lists.
    #[must_use]
    pub fn of(self, parts: impl IntoIterator<Item = String>) -> Self {
        Self { parts: parts.into_iter().collect(), ..self }
    }
}

impl Value {
    /// Whether it is one number, not a list.
    pub fn is_single(&self) -> bool {
        !matches!(self, Self::Numbers(_))
    }

    /// Its numbers: one, or those of the list.
    pub fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Integer(integer) => vec![*integer as f64],
            Self::Number(number) => vec![*number],
            Self::Numbers(numbers) => numbers.clone(),
        }
    }
}

fn agree(kind: Kind, published: &Value, measured: &Value) -> bool {
    if let (Kind::Exact, Value::Integer(published), Value::Integer(measured)) = (kind, published, measured) {
        return published == measured; // Beyond 2^53 floats would take neighbours for equal.
    }
    let (published, measured) = (published.numbers(), measured.numbers());
    published.len() == measured.len()
        && published.iter().zip(&measured).all(|(published, measured)| match kind {
            Kind::Exact => published == measured,
            Kind::Within { tolerance } => {
                let rounding = 1e-12 * published.abs().max(measured.abs());
                measured.is_finite() && (published - measured).abs() <= tolerance + rounding
            }
        })
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<Vec<f64>> for Value {
    fn from(numbers: Vec<f64>) -> Self {
        Self::Numbers(numbers)
    }
}

// JSON has no NaN and no infinity, and a diverged run measures them: they are written as strings.

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Json {
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Json>),
}

impl Json {
    fn from_number(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Text(number.to_string()) }
    }

    fn into_number(self) -> Option<f64> {
        match self {
            Self::Integer(integer) => Some(integer as f64),
            Self::Number(number) => Some(number),
            Self::Text(text) => text.parse().ok(),
            Self::List(_) => None,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = match self {
            Self::Integer(integer) => Json::Integer(*integer),
            Self::Number(number) => Json::from_number(*number),
            Self::Numbers(numbers) => Json::List(numbers.iter().copied().map(Json::from_number).collect()),
        };
        json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Json::deserialize(deserializer)? {
            Json::Integer(integer) => Some(Self::Integer(integer)),
            Json::List(list) => {
                list.into_iter().map(Json::into_number).collect::<Option<_>>().map(Self::Numbers)
            }
            number => number.into_number().map(Self::Number),
        };
        value.ok_or_else(|| serde::de::Error::custom("expected a number or a list of numbers"))
    }
}
