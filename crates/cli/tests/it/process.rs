//! Starts the binary with arguments, environment and standard input, and waits for its end.

use std::fs::OpenOptions;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A line to run.
pub(crate) struct Line {
    command: Command,
    input: Vec<u8>,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A line as it is typed, without quotes; its first word is the name the binary is called by.
pub(crate) fn line(words: &str) -> Line {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_carnet"));
    command.env_clear().arg0(words[0]).args(&words[1..]);
    Line {
        command,
        input: Vec::new(),
    }
}

impl Line {
    /// One more argument, whatever is in it.
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn input(mut self, text: &str) -> Self {
        text.as_bytes().clone_into(&mut self.input);
        self
    }

    pub(crate) async fn run(mut self) -> Ended {
        let pipes = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        // A command that does not read is gone before all is written.
        child
            .stdin
            .take()
            .unwrap()
            .write_all(&self.input)
            .await
            .ok();
        let output = child.wait_with_output().await.unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Exit code and standard error of a command whose standard output takes nothing.
    pub(crate) async fn run_on_a_full_disk(mut self) -> (i32, String) {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let pipes = self.command.stdout(full).stderr(Stdio::piped());
        let output = pipes.spawn().unwrap().wait_with_output().await.unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), err)
    }

    /// Exit code of a command that is interrupted, as Ctrl-C does, once `ready` is done.
    pub(crate) async fn interrupted(mut self, ready: impl Future<Output = ()>) -> i32 {
        let mut child = self.command.stdin(Stdio::null()).spawn().unwrap();
        ready.await;
        let id = child.id().unwrap().to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status();
        assert!(kill.await.unwrap().success());
        child.wait().await.unwrap().code().unwrap()
    }

    /// The standard output of a command that succeeds and has nothing to say to people.
    pub(crate) async fn out(self) -> String {
        let ended = self.run().await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
        ended.out
    }
}
