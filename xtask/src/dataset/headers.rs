//! What the headers of an answer say of the file.

use ureq::http::HeaderMap;

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

pub(crate) fn length(headers: &HeaderMap) -> Option<u64> {
    header(headers, "content-length")?.trim().parse().ok()
}

/// A strong ETag, or else the date of the last change; a weak ETag cannot vouch for bytes (RFC 9110, 13.1.5).
pub(crate) fn version(headers: &HeaderMap) -> Option<String> {
    let etag = header(headers, "etag").filter(|etag| !etag.starts_with("W/"));
    etag.or_else(|| header(headers, "last-modified")).map(str::to_owned)
}

/// What `Content-Range` says (RFC 9110, 14.4): `bytes 5-9/10`, `bytes 5-9/*`, `bytes */10`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ContentRange {
    /// First and last byte.
    pub(crate) range: Option<(u64, u64)>,
    /// Length of the whole.
    pub(crate) total: Option<u64>,
}

pub(crate) fn content_range(headers: &HeaderMap) -> Option<ContentRange> {
    let (range, total) = header(headers, "content-range")?.trim().strip_prefix("bytes ")?.split_once('/')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    if range == "*" {
        return Some(ContentRange { range: None, total });
    }
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
    let sound = start <= end && end < u64::MAX && total.is_none_or(|total| end < total);
    sound.then_some(ContentRange { range: Some((start, end)), total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        let parse = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-range", text.parse().unwrap());
            content_range(&headers).map(|parsed| (parsed.range, parsed.total))
        };
        assert_eq!(parse("bytes 5-9/10"), Some((Some((5, 9)), Some(10))));
        assert_eq!(parse("bytes 5-9/*"), Some((Some((5, 9)), None)));
        assert_eq!(parse("bytes */10"), Some((None, Some(10))));
        for bad in
            ["bytes 9-5/10", "bytes 5-10/10", "items 5-9/10", "bytes 5/10", "bytes a-b/c", "bytes -1-9/10"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
