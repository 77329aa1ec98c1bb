//! Tables in a text, between lines that name them.

use anyhow::{Context, ensure};

/// Begins a table: its name follows, then [`BEGUN`].
const BEGIN: &str = "<!-- cargo xtask results: ";
const BEGUN: &str = " -->\n";
const END: &str = "<!-- end -->\n";

/// The text with each of its tables as `table` has it by its name.
///
/// # Errors
/// A table does not end, or `table` fails; there is none at all.
pub(super) fn filled(text: &str, table: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<String> {
    let mut parts = text.split(BEGIN);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    let mut tables = 0;
    for part in parts {
        let line = part.lines().next().unwrap_or_default();
        let (name, rest) =
            part.split_once(BEGUN).with_context(|| format!("`{BEGIN}{line}` has to end with `-->`"))?;
        let (_, behind) = rest
            .split_once(END)
            .with_context(|| format!("the table `{name}` has no line `{}` behind it", END.trim_end()))?;
        filled.extend([BEGIN, name, BEGUN, &table(name)?, END, behind]);
        tables += 1;
    }
    ensure!(tables > 0, "it has no table that begins with a line `{BEGIN}NAME{}`", BEGUN.trim_end());
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\n<!-- cargo xtask results: x -->\nold\n<!-- end -->\nb\n<!-- cargo xtask results: y z -->\n<!-- end -->\n";

    #[test]
    fn what_stands_between_is_replaced_and_the_rest_stays() {
        let once = filled(TEXT, |name| Ok(format!("({name})\n"))).unwrap();
        assert_eq!(
            once,
            "a\n<!-- cargo xtask results: x -->\n(x)\n<!-- end -->\nb\n<!-- cargo xtask results: y z -->\n(y z)\n<!-- end -->\n"
        );
        assert_eq!(filled(&once, |name| Ok(format!("({name})\n"))).unwrap(), once);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let refused = |text: &str| filled(text, |_| Ok(String::new())).unwrap_err().to_string();
        assert!(refused(&TEXT.replacen("<!-- end -->\n", "", 2)).contains("`x` has no line"));
        assert!(refused("<!-- cargo xtask results: x\n").contains("has to end with `-->`"));
        assert!(refused("a").contains("no table"));
        assert!(filled(TEXT, |_| anyhow::bail!("no such table")).is_err());
    }
}
