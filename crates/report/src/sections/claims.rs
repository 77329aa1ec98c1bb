//! What was published beside what was measured.

use askama::Template;
use wick_runs::{Claim, Claims, Verdict};

use super::missing;
use crate::ReportError;
use crate::frame::Section;
use crate::read::Run;

#[derive(Template)]
#[template(path = "sections/claims.html")]
struct Table {
    rows: Vec<Row>,
}

/// One claim as text.
pub(crate) struct Row {
    pub name: String,
    pub published: String,
    pub measured: String,
    pub asked: String,
    pub verdict: String,
    /// How the style sheet knows the verdict.
    pub class: &'static str,
}

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (lead, body) = match &run.claims {
        None => (String::new(), missing(&run.dir.claims(), "claims")?),
        Some(claims) if claims.claims.is_empty() => {
            ("The recipe names no published run to compare with.".to_owned(), String::new())
        }
        Some(claims) => (counted(claims), Table { rows: rows(claims) }.render()?),
    };
    Ok(Section { id: "claims", title: "Published and measured", lead, body })
}

fn counted(claims: &Claims) -> String {
    let (matches, differs, other) = claims.count();
    format!("{matches} match, {differs} differ, {other} cannot be compared.")
}

/// Every claim, in order.
pub(crate) fn rows(claims: &Claims) -> Vec<Row> {
    let row = |claim: &Claim| {
        let [name, published, measured, asked, verdict] = claim.cells();
        let class = match claim.verdict {
            Verdict::Matches => "matches",
            Verdict::Differs => "differs",
            Verdict::NotComparable { .. } => "other",
        };
        Row { name, published, measured, asked, verdict, class }
    };
    claims.claims.iter().map(row).collect()
}
