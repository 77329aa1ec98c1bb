//! An HTTP server for tests, which answers as it is told.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::progress::Watch;

/// The headers of a request, by name in lower case.
pub(crate) type Head = BTreeMap<String, String>;

/// A server on this machine; its thread ends with the process.
pub(crate) struct Server {
    pub(crate) url: String,
    heads: Arc<Mutex<Vec<Head>>>,
}

impl Server {
    /// Starts one that answers request `i` (from 0) with the bytes of `answer(i, head)`, then hangs up.
    pub(crate) fn start(mut answer: impl FnMut(usize, &Head) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/archive.tar.gz", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        std::thread::spawn(move || {
            for (i, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let head = read_head(&mut stream);
                seen.lock().unwrap().push(head.clone());
                // A client that hangs up first is no matter.
                let _ = stream.write_all(&answer(i, &head));
            }
        });
        Self { url, heads }
    }

    /// The `Range` of each request so far.
    pub(crate) fn ranges(&self) -> Vec<Option<String>> {
        self.heads.lock().unwrap().iter().map(|head| head.get("range").cloned()).collect()
    }
}

fn read_head(stream: &mut TcpStream) -> Head {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        bytes.push(byte[0]);
    }
    let text = String::from_utf8(bytes).unwrap();
    let headers = text.lines().skip(1).filter_map(|line| line.split_once(": "));
    headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect()
}

/// An answer with any status and headers.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    if !headers.iter().any(|(name, _)| *name == "Content-Length") {
        bytes.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// What a server that does everything right answers.
pub(crate) fn proper(file: &[u8], etag: &str, head: &Head) -> Vec<u8> {
    let range =
        head.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let same = head.get("if-range").is_none_or(|version| version == etag);
    match range {
        Some(start) if same && start < file.len() => {
            let range = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
            answer(206, &[("ETag", etag), ("Content-Range", &range)], &file[start..])
        }
        Some(_) if same => answer(416, &[("Content-Range", &format!("bytes */{}", file.len()))], b""),
        _ => answer(200, &[("ETag", etag)], file),
    }
}

/// The same answer, but the connection drops when `body` bytes of its body are out.
pub(crate) fn dropped(mut answer: Vec<u8>, body: usize) -> Vec<u8> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    answer.truncate(head + body);
    answer
}

/// Keeps what was said.
#[derive(Default)]
pub(crate) struct Said(pub(crate) Vec<String>);

impl Said {
    pub(crate) fn has(&self, words: &str) -> bool {
        self.0.iter().any(|line| line.contains(words))
    }
}

impl Watch for Said {
    fn at(&mut self, _done: u64, _total: Option<u64>) {}

    fn say(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }
}
