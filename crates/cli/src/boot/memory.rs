//! How much memory the process may have: the least of what the machine has and what its control
//! groups allow (cgroup v1 and v2).

use std::fs;
use std::path::{Path, PathBuf};

const GROUPS: &str = "/sys/fs/cgroup";

/// In bytes; `None` where the system does not tell.
pub(super) fn limit() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| total(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = files(&groups).into_iter();
    let limits = limits.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    limits.chain(machine).min()
}

/// The files that may hold a limit: of the group, and of those around it.
fn files(groups: &str) -> Vec<PathBuf> {
    let lines = groups.lines().filter_map(|line| {
        let (_, line) = line.split_once(':')?;
        let (controllers, path) = line.split_once(':')?;
        let is_memory = controllers.split(',').any(|name| name == "memory");
        match (controllers.is_empty(), is_memory) {
            (true, _) => Some((PathBuf::from(GROUPS), "memory.max", path)),
            (_, true) => Some((
                Path::new(GROUPS).join("memory"),
                "memory.limit_in_bytes",
                path,
            )),
            _ => None,
        }
    });
    lines
        .flat_map(|(root, name, path)| {
            let groups: Vec<_> = Path::new(path.trim_start_matches('/'))
                .ancestors()
                .map(|group| root.join(group).join(name))
                .collect();
            groups
        })
        .collect()
}

/// Bytes of the line `MemTotal:  16303284 kB`.
fn total(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn limits_are_looked_for_in_the_group_and_around_it() {
        let of = |groups: &str| {
            let files = files(groups);
            let names = files.iter().map(|file| file.display().to_string());
            names.collect::<Vec<_>>()
        };
        assert_eq!(
            of("0::/pods/a\n"),
            [
                "/sys/fs/cgroup/pods/a/memory.max",
                "/sys/fs/cgroup/pods/memory.max",
                "/sys/fs/cgroup/memory.max"
            ]
        );
        assert_eq!(
            of("9:cpu,cpuacct:/x\n4:memory:/x\n"),
            [
                "/sys/fs/cgroup/memory/x/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes"
            ]
        );
    }

    #[test]
    fn the_machine_tells_its_memory_in_kibibytes() {
        assert_eq!(total("MemTotal:  2 kB\nMemFree: 1 kB\n"), Some(2048));
        assert!(limit().unwrap() > 1 << 20);
    }
}
