//! What every page has around its sections: head, contents, styles, script.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wick_runs::sha256_bytes;

use crate::ReportError;

const STYLE: &str = concat!(
    include_str!("../templates/style/base.css"),
    include_str!("../templates/style/charts.css"),
    include_str!("../templates/style/tables.css"),
    include_str!("../templates/style/cards.css"),
    include_str!("../templates/style/print.css"),
);
const SCRIPT: &str = include_str!("../templates/script.js");

/// A part of a page, reached through the contents.
pub(crate) struct Section {
    pub id: &'static str,
    pub title: &'static str,
    /// One line on what is to be seen; may be empty.
    pub lead: String,
    /// HTML.
    pub body: String,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    title: &'a str,
    /// HTML.
    header: &'a str,
    sections: &'a [Section],
    style: &'static str,
    script: &'static str,
    script_hash: String,
}

/// The whole page.
pub(crate) fn frame(title: &str, header: &str, sections: &[Section]) -> Result<String, ReportError> {
    let script_hash = STANDARD.encode(from_hex(&sha256_bytes(SCRIPT.as_bytes())));
    Ok(Frame { title, header, sections, style: STYLE, script: SCRIPT, script_hash }.render()?)
}

/// The bytes that pairs of hexadecimal digits stand for.
fn from_hex(hex: &str) -> Vec<u8> {
    let digit = |c: &u8| char::from(*c).to_digit(16).unwrap_or(0) as u8;
    hex.as_bytes().as_chunks::<2>().0.iter().map(|[high, low]| 16 * digit(high) + digit(low)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf abc | openssl dgst -sha256 -binary | base64`
    #[test]
    fn the_scripts_hash_is_written_as_browsers_want_it() {
        let hash = STANDARD.encode(from_hex(&sha256_bytes(b"abc")));
        assert_eq!(hash, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }
}
