//! Telling what went wrong.

use crate::terminal::{Tone, error_line, message_room, paint_error, paragraph};

/// Prints an error as one paragraph: what was being done, what was expected and found, what to do.
pub fn error(error: &anyhow::Error) {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // A wrapped error often ends with the words of its source.
        if !parts.iter().any(|p| p.contains(&text)) {
            parts.push(text);
        }
    }
    let said = paragraph(&format!("error: {}", parts.join(": ")), message_room());
    error_line(&said.replacen("error:", &paint_error("error:", Tone::Error), 1));
}
