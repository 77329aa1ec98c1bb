//! As much of Rust's grammar as tells code from comments and strings.

/// A piece of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// The line it begins on, from 1.
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name, keyword or number.
    Word,
    /// A string, with its quotes.
    Text,
    /// Anything else, a character at a time; comments and blanks are left out.
    Sign,
}

/// The words, strings and signs of a source file.
pub(crate) fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, kind) = next(rest);
        let text = rest.get(..length).unwrap_or(rest);
        if let Some(kind) = kind {
            pieces.push(Piece { line, kind, text });
        }
        line += text.matches('\n').count();
        at += text.len().max(1);
    }
    pieces
}

/// The length in bytes of the piece at the start of `rest`, and what it is; nothing, if a comment or blank.
fn next(rest: &str) -> (usize, Option<Kind>) {
    let to_end = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("//") {
        return (to_end(rest.find('\n')), None);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), None);
    }
    if let Some(length) = string(rest) {
        return (length, Some(Kind::Text));
    }
    if let Some(length) = character(rest) {
        return (length, Some(Kind::Sign));
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    match rest.chars().next() {
        Some(c) if is_word(c) => (to_end(rest.find(|c| !is_word(c))), Some(Kind::Word)),
        Some(c) if c.is_whitespace() => (c.len_utf8(), None),
        Some(c) => (c.len_utf8(), Some(Kind::Sign)),
        None => (1, None),
    }
}

/// Block comments may hold others.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if tail.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// `"…"`, `b"…"`, `c"…"`, `r"…"`, `r#"…"#`, `br#"…"#`, `cr#"…"#`.
fn string(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|rest| {
            let raw = prefix.ends_with('r');
            rest.starts_with('"')
                || raw && rest.trim_start_matches('#').starts_with('"') && rest.starts_with('#')
        })
    })?;
    let body = rest.strip_prefix(prefix)?;
    if prefix.ends_with('r') {
        let hashes = body.find('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let start = prefix.len() + hashes + 1;
        return Some(rest.get(start..)?.find(&close).map_or(rest.len(), |end| start + end + close.len()));
    }
    let mut escaped = false;
    for (i, c) in body.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(prefix.len() + i + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// `'x'`, `'\n'`, `b'"'`: but not the lifetime `'x`.
fn character(rest: &str) -> Option<usize> {
    let prefix = usize::from(rest.starts_with("b'"));
    let body = rest.get(prefix..)?.strip_prefix('\'')?;
    let mut chars = body.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        chars.next()?;
        let (end, _) = chars.find(|(_, c)| *c == '\'')?;
        return Some(prefix + end + 2);
    }
    let (end, second) = chars.next()?;
    (second == '\'').then_some(prefix + end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(source: &str, kind: Kind) -> Vec<&str> {
        pieces(source).into_iter().filter(|piece| piece.kind == kind).map(|piece| piece.text).collect()
    }

    #[test]
    fn comments_are_left_out() {
        let source = "a // b \"c\"\n/* d /* \"e\" */ f */ g /// h\n//! i";
        assert_eq!(texts(source, Kind::Word), ["a", "g"]);
        assert!(texts(source, Kind::Text).is_empty());
    }

    #[test]
    fn strings_of_every_kind() {
        let source = r####"x("a\"b", b"c", r"d\", r#"e"f"#, br##"g"#h"##, c"i", "multi
            line") r#type = 1; er"j""####;
        let expected = [
            "\"a\\\"b\"",
            "b\"c\"",
            "r\"d\\\"",
            "r#\"e\"f\"#",
            "br##\"g\"#h\"##",
            "c\"i\"",
            "\"multi\n            line\"",
            "\"j\"",
        ];
        assert_eq!(texts(source, Kind::Text), expected);
        assert_eq!(texts(source, Kind::Word), ["x", "r", "type", "1", "er"]);
    }

    #[test]
    fn characters_are_no_strings_and_lifetimes_no_characters() {
        let source = r#"let q = '"'; let e = '\''; let u = '\u{1F600}'; fn f<'a>(x: &'a str) -> &'static str { b'"' }"#;
        assert!(texts(source, Kind::Text).is_empty());
        let words = texts(source, Kind::Word);
        assert!(words.contains(&"a") && words.contains(&"static"), "{words:?}");
    }

    #[test]
    fn lines_are_counted() {
        let lines: Vec<_> = pieces("a\n\"b\nc\" d\n/*\n*/ e").iter().map(|piece| piece.line).collect();
        assert_eq!(lines, [1, 2, 3, 5]);
    }

    proptest! {
        #[test]
        fn any_text_ends(source in "[a-z\"'/*\\\\#rb \n😀]{0,60}") {
            let length: usize = pieces(&source).iter().map(|piece| piece.text.len()).sum();
            prop_assert!(length <= source.len());
        }
    }
}
