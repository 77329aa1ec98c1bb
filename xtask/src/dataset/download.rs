//! Downloading one file over connections that break.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};
use wick_runs::grouped;

use super::headers::{ContentRange, content_range, length, version};
use super::progress::Watch;

/// What to download, and where to.
pub(crate) struct Download<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) url: &'a str,
    /// The file that grows; beside it lies a `.json` saying where it comes from.
    pub(crate) part: &'a Path,
    /// The length that the file must have, where that is known.
    pub(crate) bytes: Option<u64>,
    pub(crate) patience: Patience,
}

/// How often to try again. An attempt that brought some bytes counts for nothing.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// Attempts in a row that may bring nothing.
    pub(crate) attempts: u32,
    /// The first pause; each further one is twice as long.
    pub(crate) pause: Duration,
}

/// How a download went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// In one piece.
    Whole,
    /// In pieces, which need not fit together.
    Pieces,
}

/// Why an attempt failed.
enum Fault {
    /// Trying again would end the same.
    Final(anyhow::Error),
    /// Nothing answers at that address.
    Silent(anyhow::Error),
    /// The server is there, but cannot answer now, or the connection broke.
    Passing(anyhow::Error),
    /// The part does not go with what the server has now.
    Stale(String),
}

/// Where a part comes from: it is continued only from there.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    url: String,
    /// The server's name for this version of the file: a strong ETag, or else a date.
    version: Option<String>,
    total: Option<u64>,
}

/// However many attempts bring something, there is an end.
const MOST_ATTEMPTS: u32 = 200;

/// An agent that hands every answer back, and gives up on a server that falls silent.
pub(crate) fn agent() -> Agent {
    agent_builder().build().into()
}

pub(crate) fn agent_builder() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        // A length or a range of something compressed on the way would mean nothing.
        .accept_encoding("identity")
}

impl Download<'_> {
    /// Downloads until the part is whole, continuing what is already there.
    pub(crate) fn run(&self, watch: &mut dyn Watch) -> anyhow::Result<Outcome> {
        let (mut outcome, mut in_vain, mut answered) = (Outcome::Whole, 0, false);
        for _ in 0..MOST_ATTEMPTS {
            let before = self.length();
            if before > 0 {
                outcome = Outcome::Pieces;
            }
            let fault = match self.attempt(watch) {
                Ok(()) => return Ok(outcome),
                Err(fault) => fault,
            };
            in_vain = if self.length() > before { 0 } else { in_vain + 1 };
            answered |= !matches!(fault, Fault::Silent(_));
            // Without a network at all there is no use in waiting long.
            let attempts = if answered { self.patience.attempts } else { self.patience.attempts.min(2) };
            let error = match fault {
                Fault::Stale(why) => {
                    watch.say(&format!("{why}: starting over"));
                    self.discard()?;
                    outcome = Outcome::Whole;
                    anyhow!("what the server sends does not fit together: {why}")
                }
                Fault::Final(error) => return Err(error),
                Fault::Silent(error) | Fault::Passing(error) => error,
            };
            if in_vain >= attempts {
                return Err(error);
            }
            let pause = self.patience.pause * 2_u32.pow(in_vain.saturating_sub(1).min(6));
            watch.say(&format!("{error:#}; trying again in {:.0} s", pause.as_secs_f32()));
            std::thread::sleep(pause);
        }
        Err(anyhow!("gave up on {} after {MOST_ATTEMPTS} broken connections", self.url))
    }

    /// Removes the part, and what is known of it.
    pub(crate) fn discard(&self) -> anyhow::Result<()> {
        for path in [self.part.to_owned(), self.origin_path()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the part, which must be whole, the file `target`.
    pub(crate) fn finish(&self, target: &Path) -> anyhow::Result<()> {
        fs::rename(self.part, target).with_context(|| format!("cannot write {}", target.display()))?;
        self.discard()
    }

    fn attempt(&self, watch: &mut dyn Watch) -> Result<(), Fault> {
        let mut have = self.length();
        let known = self.origin();
        if have > 0 && known.url != self.url {
            watch.say(&format!("{} comes from elsewhere: starting over", self.part.display()));
            self.discard().map_err(Fault::Final)?;
            have = 0;
        }
        if have > 0 && known.total == Some(have) {
            return Ok(()); // Whole, but stopped before anyone looked at it.
        }
        let mut request = self.agent.get(self.url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
            if let Some(version) = &known.version {
                request = request.header("If-Range", version);
            }
        }
        let response = request.call().map_err(|error| self.transport(error))?;
        let version = version(response.headers());
        let total = match response.status().as_u16() {
            200 => {
                if have > 0 {
                    watch.say("the server sends the whole file again: starting over");
                    self.discard().map_err(Fault::Final)?;
                    have = 0;
                }
                length(response.headers())
            }
            206 if have > 0 => Some(continues(response.headers(), have, &known, version.as_deref())?),
            416 if have > 0 => match content_range(response.headers()) {
                Some(ContentRange { range: None, total: Some(total) }) if total == have => return Ok(()),
                _ => return Err(Fault::Stale("the server's file is shorter than what is here".into())),
            },
            status => return Err(self.refused(status)),
        };
        self.check_total(total)?;
        let origin = Origin { url: self.url.to_owned(), version, total };
        wick_runs::write_json(&self.origin_path(), &origin).map_err(|error| Fault::Final(error.into()))?;
        self.receive(response, have, total, watch)
    }

    /// Appends the body to the part.
    fn receive(
        &self,
        response: Response<Body>,
        have: u64,
        total: Option<u64>,
        watch: &mut dyn Watch,
    ) -> Result<(), Fault> {
        let write = || format!("cannot write {}", self.part.display());
        let open = OpenOptions::new().create(true).append(true).open(self.part);
        let mut part: File = open.with_context(write).map_err(Fault::Final)?;
        let (mut body, mut buffer, mut have) = (response.into_body().into_reader(), vec![0; 1 << 16], have);
        watch.at(have, total);
        loop {
            let read =
                body.read(&mut buffer).with_context(|| format!("the connection to {} broke", self.url));
            let bytes = buffer.get(..read.map_err(Fault::Passing)?).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            part.write_all(bytes).with_context(write).map_err(Fault::Final)?;
            have += bytes.len() as u64;
            watch.at(have, total);
        }
        part.sync_all().with_context(write).map_err(Fault::Final)?;
        match total {
            Some(total) if have < total => Err(Fault::Passing(anyhow!(
                "the connection to {} ended after {} of {} bytes",
                self.url,
                grouped(have),
                grouped(total)
            ))),
            Some(total) if have > total => Err(Fault::Stale("the server sent more than it said".into())),
            _ => Ok(()),
        }
    }

    /// A server that offers another length has another file; there is no use in downloading it.
    fn check_total(&self, total: Option<u64>) -> Result<(), Fault> {
        match (self.bytes, total) {
            (Some(expected), Some(total)) if expected != total => Err(Fault::Final(anyhow!(
                "{} is another file: it has {} bytes, expected {}",
                self.url,
                grouped(total),
                grouped(expected)
            ))),
            _ => Ok(()),
        }
    }

    fn refused(&self, status: u16) -> Fault {
        let error = anyhow!("{} answered with status {status}", self.url);
        match status {
            408 | 425 | 429 | 500.. => Fault::Passing(error),
            _ => Fault::Final(error),
        }
    }

    fn transport(&self, error: ureq::Error) -> Fault {
        use ureq::Error::{ConnectionFailed, HostNotFound, Io, Protocol, Timeout};
        let again = matches!(error, ConnectionFailed | HostNotFound | Io(_) | Protocol(_) | Timeout(_));
        let fault = if again { Fault::Silent } else { Fault::Final };
        fault(anyhow!(error).context(format!("no answer from {}", self.url)))
    }

    fn length(&self) -> u64 {
        fs::metadata(self.part).map_or(0, |metadata| metadata.len())
    }

    fn origin_path(&self) -> PathBuf {
        let mut name = self.part.as_os_str().to_owned();
        name.push(".json");
        name.into()
    }

    /// What is known of the part; nothing, if that cannot be read, and then it is not continued.
    fn origin(&self) -> Origin {
        wick_runs::read_json(&self.origin_path()).unwrap_or_default()
    }
}

/// The total length, if the answer continues the part where it ends, with the same version of the file.
fn continues(headers: &HeaderMap, have: u64, known: &Origin, version: Option<&str>) -> Result<u64, Fault> {
    let stale = |why: &str| Err(Fault::Stale(why.to_owned()));
    let Some(ContentRange { range: Some((start, end)), total }) = content_range(headers) else {
        return stale("the server does not say what it continues");
    };
    let total = total.unwrap_or(end + 1);
    if start != have {
        return stale("the server continues from another place");
    }
    if end + 1 != total {
        return stale("the server sends less than the rest");
    }
    if known.total.is_some_and(|known| known != total)
        || (version.is_some() && version != known.version.as_deref())
    {
        return stale("the file on the server has changed");
    }
    Ok(total)
}

#[cfg(test)]
#[path = "download_tests.rs"]
pub(crate) mod tests;
