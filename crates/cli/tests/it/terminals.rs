//! A shell in a network namespace of its own, so that every port is free and nothing else is
//! reached, and of processes, so that whatever it started ends with it; and a second terminal, in
//! which one program stays.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::console::{Step, agree, steps};

/// What a test does takes seconds; this only ends one that hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// A shell, and a second terminal in which one program stays.
pub(crate) struct Terminals {
    shell: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    second: Option<Lines<BufReader<File>>>,
    folder: tempfile::TempDir,
    done: mpsc::Sender<()>,
}

impl Terminals {
    /// Opens both in a new folder, in which `carnet` is in the path.
    pub(crate) fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_carnet")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("unshare")
            .args([
                "--map-root-user",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "bash",
            ])
            .current_dir(folder.path())
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare (util-linux) gives the tutorial a network of its own");
        let input = shell.stdin.take().unwrap();
        let output = BufReader::new(shell.stdout.take().unwrap()).lines();
        let (done, ended) = mpsc::channel();
        let id = shell.id().to_string();
        thread::spawn(move || {
            if ended.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
                drop(Command::new("kill").args(["-9", &id]).status());
            }
        });
        let mut terminals = Self {
            shell,
            input,
            output,
            second: None,
            folder,
            done,
        };
        let printed = terminals.enter("ip link set lo up && mkfifo second");
        assert!(printed.is_empty(), "{printed:?}");
        terminals
    }

    /// The folder that the shell is in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Does all that a page says, each command in its terminal.
    pub(crate) fn play(&mut self, page: &str) {
        for step in steps(page) {
            if step.terminal.is_empty() {
                self.expect(&step);
            } else {
                self.follow(&step);
            }
        }
    }

    /// Types a command that must print what is shown.
    pub(crate) fn expect(&mut self, step: &Step) {
        let printed = self.enter(&step.command);
        assert!(
            agree(&step.shown, &printed),
            "`{}` printed\n{}\nand should have printed\n{}",
            step.command,
            printed.join("\n"),
            step.shown.join("\n")
        );
    }

    /// Types a command and gives what it printed, on both streams.
    pub(crate) fn enter(&mut self, command: &str) -> Vec<String> {
        writeln!(
            self.input,
            "{{ {command}\n}} 2>&1; printf '\\n%s\\n' '@end@'"
        )
        .unwrap();
        let mut printed = Vec::new();
        loop {
            let line = self.output.next().expect("the shell ended").unwrap();
            if line == "@end@" {
                break;
            }
            printed.push(line);
        }
        // The marker stands on a line of its own, behind a line that may be empty.
        if printed.last().is_some_and(String::is_empty) {
            printed.pop();
        }
        // An empty line before the marker that the command itself printed is whoami's last one.
        while printed.last().is_some_and(|line| line.trim().is_empty()) {
            printed.pop();
        }
        printed
    }

    /// Starts the program of the second terminal, or waits for what the page shows of it next.
    fn follow(&mut self, step: &Step) {
        if !step.command.is_empty() {
            writeln!(self.input, "{} > second &", step.command).unwrap();
            let pipe = File::open(self.folder.path().join("second")).unwrap();
            self.second = Some(BufReader::new(pipe).lines());
        }
        let lines = self
            .second
            .as_mut()
            .expect("a program in the second terminal");
        for shown in &step.shown {
            let printed = lines.next().expect("the program ended").unwrap();
            assert!(
                agree(std::slice::from_ref(shown), std::slice::from_ref(&printed)),
                "the second terminal printed `{printed}`, the page shows `{shown}`"
            );
        }
    }
}

impl Drop for Terminals {
    fn drop(&mut self) {
        let _told = self.done.send(());
        drop(self.shell.kill());
        drop(self.shell.wait());
    }
}
