//! Tables in a text, between lines that name them.

use anyhow::{Context, bail, ensure};

/// Begins the line before a table; its name follows.
const BEGIN: &str = "<!-- cargo xtask results: ";
/// Ends that line.
const BEGUN: &str = " -->";
/// The line after a table.
const END: &str = "<!-- end -->";

/// The text with each of its tables as `table` has it by its name.
///
/// # Errors
/// A line that names a table is broken, a table does not end, or `table` fails; one of `required` is not there.
pub(super) fn filled(
    text: &str,
    required: &[&str],
    table: impl Fn(&str) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let (mut filled, mut found) = (String::new(), Vec::new());
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        filled.push_str(line);
        let Some(rest) = line.trim_end().strip_prefix(BEGIN) else { continue };
        let name = rest
            .strip_suffix(BEGUN)
            .with_context(|| format!("the line `{}` has to end with `{BEGUN}`", line.trim_end()))?;
        filled.push_str(&table(name)?);
        found.push(name);
        let end = lines.find(|line| line.trim_end() == END || line.starts_with(BEGIN));
        match end {
            Some(end) if end.trim_end() == END => filled.push_str(end),
            _ => bail!("the table `{name}` has no line `{END}` behind it"),
        }
    }
    for name in required {
        ensure!(found.contains(name), "it has no line `{BEGIN}{name}{BEGUN}` with a table behind it");
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\n<!-- cargo xtask results: x -->\nold\n<!-- end -->\nb\n<!-- cargo xtask results: y z -->\n<!-- end -->";

    fn named(name: &str) -> anyhow::Result<String> {
        Ok(format!("({name})\n"))
    }

    #[test]
    fn what_stands_between_is_replaced_and_the_rest_stays() {
        let once = filled(TEXT, &["x", "y z"], named).unwrap();
        assert_eq!(
            once,
            "a\n<!-- cargo xtask results: x -->\n(x)\n<!-- end -->\nb\n<!-- cargo xtask results: y z -->\n(y z)\n<!-- end -->"
        );
        assert_eq!(filled(&once, &[], named).unwrap(), once);
    }

    #[test]
    fn other_ends_of_lines_are_kept() {
        let text = TEXT.replace('\n', "\r\n");
        let filled = filled(&text, &["x"], named).unwrap();
        assert!(
            filled.starts_with("a\r\n<!-- cargo xtask results: x -->\r\n(x)\n<!-- end -->\r\nb"),
            "{filled}"
        );
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let refused = |text: &str| filled(text, &["x"], named).unwrap_err().to_string();
        let no_end = "the table `x` has no line `<!-- end -->` behind it";
        assert_eq!(refused(&TEXT.replace("<!-- end -->", "")), no_end);
        assert_eq!(refused(&TEXT.replacen("<!-- end -->\n", "", 1)), no_end);
        assert!(refused(&TEXT.replacen("x -->", "x", 1)).contains("results: x` has to end with ` -->`"));
        assert!(refused("a").contains("no line `<!-- cargo xtask results: x -->`"));
        assert!(filled(TEXT, &[], |_| anyhow::bail!("no such table")).is_err());
    }
}
