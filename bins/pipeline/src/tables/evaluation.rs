//! How well each class is known, and what it is taken for.

use wick_runs::{ConfusionTable, PerClassRow, grouped};

use crate::terminal::{Column, Table};

/// The most classes whose confusion matrix is shown: of CIFAR-10's, in 80 columns.
const SHOWN: usize = 10;
/// Characters of a class's name over its column.
const SHORT: usize = 5;

/// Per class, and of few classes the confusion matrix.
pub fn text(per_class: &[PerClassRow], confusion: &ConfusionTable, room: Option<usize>) -> String {
    let mut text = classes(per_class, confusion).text(room);
    if confusion.class_names.len() <= SHOWN {
        text += &format!("\nrows: true class; columns: predicted; ·: none\n{}", matrix(confusion).text(None));
    }
    text
}

fn classes(per_class: &[PerClassRow], confusion: &ConfusionTable) -> Table {
    let head = [
        Column::left("class"),
        Column::right("accuracy %"),
        Column::right("correct"),
        Column::right("images"),
        Column::left("most often taken for"),
    ];
    let mut table = Table::new(head);
    for class in per_class {
        let accuracy =
            if class.images == 0 { "–".to_owned() } else { format!("{:.2}", 100.0 * class.accuracy) };
        let wrong =
            confusion.counts[class.class].iter().enumerate().filter(|(c, n)| *c != class.class && **n > 0);
        // The first of equals.
        let most = wrong.reduce(|most, other| if other.1 > most.1 { other } else { most });
        let taken_for =
            most.map_or_else(String::new, |(c, n)| format!("{} ({})", confusion.class_names[c], grouped(*n)));
        table.row([class.name.clone(), accuracy, grouped(class.correct), grouped(class.images), taken_for]);
    }
    table
}

fn matrix(confusion: &ConfusionTable) -> Table {
    let names = &confusion.class_names;
    let short = |name: &String| Column::right(&name.chars().take(SHORT).collect::<String>());
    let mut table = Table::new(std::iter::once(Column::left("")).chain(names.iter().map(short)));
    for (name, counts) in names.iter().zip(&confusion.counts) {
        let count = |n: &u64| if *n == 0 { "·".to_owned() } else { grouped(*n) };
        table.row(std::iter::once(name.clone()).chain(counts.iter().map(count)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_told_with_what_it_is_taken_for() {
        console::set_colors_enabled(false);
        let class_names = ["automobile", "cat", "dog"].map(str::to_owned).to_vec();
        let counts = vec![vec![10, 0, 0], vec![1, 6, 3], vec![0, 0, 0]];
        let row = |class: usize, images, correct, accuracy| PerClassRow {
            class,
            name: class_names[class].clone(),
            images,
            correct,
            accuracy,
        };
        let rows = [row(0, 10, 10, 1.0), row(1, 10, 6, 0.6), row(2, 0, 0, f64::NAN)];
        let text = text(&rows, &ConfusionTable { class_names: class_names.clone(), counts }, None);
        let expected = "\
class       accuracy %  correct  images  most often taken for
automobile      100.00       10      10
cat              60.00        6      10  dog (3)
dog                  –        0       0

rows: true class; columns: predicted; ·: none
            autom  cat  dog
automobile     10    ·    ·
cat             1    6    3
dog             ·    ·    ·
";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_matrix_of_many_classes_is_left_to_the_figure() {
        let class_names: Vec<String> = (0..100).map(|c| format!("class {c}")).collect();
        let confusion = ConfusionTable { class_names, counts: vec![vec![0; 100]; 100] };
        assert!(!text(&[], &confusion, None).contains("rows: true class"));
    }
}
