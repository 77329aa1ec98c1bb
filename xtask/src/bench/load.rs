//! Whether the machine did anything else: a speed measured beside other work says little.

use std::fs;

use serde::{Deserialize, Serialize};

/// Cores that others may use before it is said aloud.
const TOLERATED: f64 = 0.1;

/// Load average a core, likewise.
const TOLERATED_BEFORE: f64 = 0.5;

/// What else ran.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Load {
    /// Cores of this machine.
    pub(super) cores: usize,
    /// Load average of the minute before.
    pub(super) average_before: Option<f64>,
    /// Cores that other programs used on average while measuring, those that a hypervisor took included.
    pub(super) others: Option<f64>,
}

impl Load {
    /// Cores that others used, if those are too many.
    pub(super) fn busy(&self) -> Option<f64> {
        self.others.filter(|others| *others > TOLERATED)
    }

    /// What is to be said aloud beside the figures, if others ran.
    pub(super) fn warning(&self) -> Option<String> {
        let (others, cores) = (self.busy()?, self.cores);
        Some(format!(
            "WARNING: other programs used {others:.2} of {cores} cores while this measured, so its figures say little"
        ))
    }
}

/// Counts from when it is made. Only Linux tells; elsewhere there is nothing to warn of.
pub(super) struct Watch {
    average_before: Option<f64>,
    began: Option<Ticks>,
}

/// Clock ticks of all cores.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ticks {
    all: u64,
    /// Not idle.
    busy: u64,
    /// This program and what it started and waited for.
    own: u64,
}

impl Watch {
    /// Takes the load average: before anything is built.
    pub(super) fn before() -> Self {
        let text = fs::read_to_string("/proc/loadavg").ok();
        let average_before = text.and_then(|text| text.split_whitespace().next()?.parse().ok());
        Self { average_before, began: None }
    }

    /// Begins to count.
    pub(super) fn begin(&mut self) {
        self.began = Ticks::now();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if let Some(average) = self.average_before.filter(|a| *a > TOLERATED_BEFORE * cores as f64) {
            eprintln!(
                "WARNING: the load average was {average} on {cores} cores before this began; if what caused it still runs, \
                 stop it, or the figures say little"
            );
        }
    }

    /// Ends counting, and says it aloud if others ran.
    pub(super) fn end(&self) -> Load {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let others = self.began.zip(Ticks::now()).and_then(|(began, ended)| others(began, ended, cores));
        let load = Load { cores, average_before: self.average_before, others };
        if let Some(warning) = load.warning() {
            eprintln!("{warning}");
        }
        load
    }
}

impl Ticks {
    fn now() -> Option<Self> {
        let (all, busy) = machine_ticks(&fs::read_to_string("/proc/stat").ok()?)?;
        let own = own_ticks(&fs::read_to_string("/proc/self/stat").ok()?)?;
        Some(Self { all, busy, own })
    }
}

fn others(began: Ticks, ended: Ticks, cores: usize) -> Option<f64> {
    let all = ended.all.checked_sub(began.all).filter(|all| *all > 0)?;
    let busy = ended.busy.checked_sub(began.busy)?;
    let own = ended.own.checked_sub(began.own)?;
    let share = busy.saturating_sub(own) as f64 / all as f64;
    Some((share * cores as f64 * 1e3).round() / 1e3)
}

/// Of the line `cpu user nice system idle iowait irq softirq steal …`: all, and all but idle and iowait.
fn machine_ticks(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // What follows the eighth is counted in the first two already.
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|n| n.parse().ok()).collect();
    let all: u64 = ticks.iter().sum();
    let idle: u64 = ticks.get(3..5)?.iter().sum();
    Some((all, all - idle))
}

/// Fields 14 to 17: user and system, own and of children that were waited for.
fn own_ticks(stat: &str) -> Option<u64> {
    // The name, in brackets, may hold spaces.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(4).map_while(|n| n.parse::<u64>().ok());
    let ticks: Vec<u64> = ticks.collect();
    (ticks.len() == 4).then(|| ticks.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_lines_are_read() {
        let stat = "cpu  10 20 30 400 50 6 7 8 9 9\ncpu0 1 2 3 4\n";
        assert_eq!(machine_ticks(stat), Some((531, 81)));
        assert_eq!(machine_ticks("intr 5"), None);
        let own = "123 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 100 20 3000 400 20 0";
        assert_eq!(own_ticks(own), Some(3520));
        assert_eq!(own_ticks("123 (a) S 1"), None);
    }

    #[test]
    fn only_a_busy_machine_is_warned_of() {
        let warning = |others| Load { cores: 2, average_before: None, others }.warning();
        assert_eq!((warning(None), warning(Some(0.05))), (None, None));
        assert!(warning(Some(1.3)).unwrap().contains("1.30 of 2 cores"));
    }

    #[test]
    fn what_is_not_ours_is_of_others() {
        let began = Ticks { all: 1000, busy: 500, own: 100 };
        let ended = Ticks { all: 1400, busy: 800, own: 300 };
        assert_eq!(others(began, ended, 2), Some(0.5));
        assert_eq!(others(began, began, 2), None);
        // Ticks are rounded: ours may seem more than all.
        assert_eq!(others(began, Ticks { all: 1400, busy: 700, own: 301 }, 2), Some(0.0));
    }
}
