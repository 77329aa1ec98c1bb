//! The list of layers while a network describes itself.

use candle_core::Result;

use super::{Cost, SummaryRow};

/// Takes down a network's layers in order, nested as they are.
#[derive(Debug, Default)]
pub struct Outline {
    rows: Vec<SummaryRow>,
    path: Vec<String>,
    depth: usize,
}

impl Outline {
    /// A layer that holds no others: its output's shape, its parameters, its mult-adds for the whole batch.
    pub fn leaf(
        &mut self,
        name: &str,
        kind: &'static str,
        output: &[usize],
        parameters: usize,
        mult_adds: usize,
    ) {
        let cost = Cost { parameters: parameters as u64, mult_adds: mult_adds as u64 };
        let name = self.full(name);
        self.rows.push(SummaryRow {
            name,
            depth: self.depth,
            kind,
            output: output.to_vec(),
            cost: Some(cost),
        });
    }

    /// A layer that holds those which `body` adds; `body` returns the shape of its output.
    ///
    /// # Errors
    /// What `body` returns.
    pub fn group<const N: usize>(
        &mut self,
        name: &str,
        kind: &'static str,
        body: impl FnOnce(&mut Self) -> Result<[usize; N]>,
    ) -> Result<[usize; N]> {
        let row = self.rows.len();
        let full = self.full(name);
        self.rows.push(SummaryRow { name: full, depth: self.depth, kind, output: Vec::new(), cost: None });
        self.path.push(name.to_owned());
        self.depth += 1;
        let output = body(self)?;
        self.depth -= 1;
        self.path.pop();
        self.rows[row].output = output.to_vec();
        Ok(output)
    }

    pub(super) fn into_rows(self) -> Vec<SummaryRow> {
        self.rows
    }

    fn full(&self, name: &str) -> String {
        let parts = self.path.iter().map(String::as_str).chain([name]);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    }
}
