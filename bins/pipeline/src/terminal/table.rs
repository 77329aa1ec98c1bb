//! Tables: numbers to the right, units in the head, whole rows in a tone.

use console::measure_text_width;

use super::colour::{Tone, paint};

/// Between columns.
const GAP: &str = "  ";
/// The least width into which a last column is folded; below it lines are left to the terminal.
const FOLDED: usize = 20;

/// A column: its head, and on which side its cells lie.
#[derive(Debug, Clone)]
pub enum Column {
    /// Words.
    Left(String),
    /// Numbers.
    Right(String),
}

/// Rows under a head.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<(Vec<String>, Option<Tone>)>,
}

impl Column {
    pub fn left(head: &str) -> Self {
        Self::Left(head.to_owned())
    }

    pub fn right(head: &str) -> Self {
        Self::Right(head.to_owned())
    }

    fn head(&self) -> &str {
        match self {
            Self::Left(head) | Self::Right(head) => head,
        }
    }

    fn place(&self, text: &str, width: usize) -> String {
        let space = " ".repeat(width.saturating_sub(measure_text_width(text)));
        match self {
            Self::Left(_) => format!("{text}{space}"),
            Self::Right(_) => format!("{space}{text}"),
        }
    }
}

impl Table {
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row, cell by cell.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.toned(cells, None);
    }

    /// Adds a row that stands out.
    pub fn toned(&mut self, cells: impl IntoIterator<Item = String>, tone: Option<Tone>) {
        self.rows.push((cells.into_iter().map(|cell| printable(&cell)).collect(), tone));
    }

    /// The table, a line a row; where `room` (the columns of a terminal) is too small, the words of the last column are folded.
    pub fn text(&self, room: Option<usize>) -> String {
        let heads: Vec<String> = self.columns.iter().map(|column| column.head().to_owned()).collect();
        let head = (heads, Some(Tone::Head));
        let lines = || std::iter::once(&head).chain(&self.rows);
        let mut widths: Vec<usize> = (0..self.columns.len())
            .map(|c| {
                lines()
                    .filter_map(|(cells, _)| cells.get(c))
                    .map(|s| measure_text_width(s))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        if let (Some(room), Some((last, before))) = (room, widths.split_last_mut()) {
            let taken: usize = before.iter().map(|width| width + GAP.len()).sum();
            let left = room.saturating_sub(taken);
            if left >= FOLDED && matches!(self.columns.last(), Some(Column::Left(_))) {
                *last = left.min(*last);
            }
        }
        let mut text = String::new();
        for (cells, tone) in lines() {
            for line in self.folded(cells, &widths) {
                text += &tone.map_or_else(|| line.clone(), |tone| paint(&line, tone));
                text.push('\n');
            }
        }
        text
    }

    /// The lines of one row.
    fn folded(&self, cells: &[String], widths: &[usize]) -> Vec<String> {
        let Some((last, before)) = cells.split_last() else { return vec![String::new()] };
        let mut start = String::new();
        for ((cell, column), width) in before.iter().zip(&self.columns).zip(widths) {
            start += &column.place(cell, *width);
            start += GAP;
        }
        let (column, width) = (&self.columns[before.len()], widths[before.len()]);
        let indent = " ".repeat(measure_text_width(&start));
        let parts = fold(last, width);
        let line = |(i, part): (usize, &String)| {
            let start = if i == 0 { &start } else { &indent };
            format!("{start}{}", column.place(part, width)).trim_end().to_owned()
        };
        parts.iter().enumerate().map(line).collect()
    }
}

/// A paragraph in lines of a terminal's width; as it is where there is none.
pub fn paragraph(text: &str, room: Option<usize>) -> String {
    room.map_or_else(|| text.to_owned(), |room| fold(text, room.max(FOLDED)).join("\n"))
}

/// Words in lines of at most `width`; a longer word has a line of its own.
fn fold(text: &str, width: usize) -> Vec<String> {
    if measure_text_width(text) <= width {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            *line = word.to_owned();
        } else if measure_text_width(line) + 1 + measure_text_width(word) <= width {
            *line += " ";
            *line += word;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Names come from files: what would move the cursor is not passed on.
fn printable(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([Column::left("class"), Column::right("%"), Column::left("taken for")]);
        table.row(["cat", "84.20", "a dog, now and then a frog"].map(str::to_owned));
        table.row(["automobile", "7.00", ""].map(str::to_owned));
        table
    }

    #[test]
    fn words_stand_left_and_numbers_right() {
        let expected = "class           %  taken for\n\
                        cat         84.20  a dog, now and then a frog\n\
                        automobile   7.00\n";
        assert_eq!(table().text(None), expected);
        assert_eq!(table().text(Some(200)), expected);
    }

    #[test]
    fn the_last_column_is_folded_to_fit() {
        let expected = "class           %  taken for\n\
                        cat         84.20  a dog, now and then a\n                   frog\n\
                        automobile   7.00\n";
        assert_eq!(table().text(Some(40)), expected);
        // Too narrow for anything: left alone.
        assert_eq!(table().text(Some(30)), table().text(None));
    }

    #[test]
    fn paragraphs_break_between_words() {
        let text = "as wide as it is, and no wider";
        assert_eq!(paragraph(text, None), text);
        assert_eq!(paragraph(text, Some(24)), "as wide as it is, and no\nwider");
        assert_eq!(
            paragraph("a/very/long/path/without/spaces it", Some(20)),
            "a/very/long/path/without/spaces\nit"
        );
    }

    #[test]
    fn wide_characters_and_control_characters_break_no_column() {
        let mut table = Table::new([Column::left("name"), Column::right("n")]);
        table.row(["猫猫猫".to_owned(), "1".to_owned()]);
        table.row(["a\u{1b}[2Jb".to_owned(), "22".to_owned()]);
        assert_eq!(table.text(None), "name     n\n猫猫猫   1\na\u{fffd}[2Jb  22\n");
    }
}
