//! Sockets that are files.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::unistd::{Group, User};

/// Listens at a file with this owner, group and mode. What an ended process left there is replaced;
/// a file that is no socket, or at which somebody listens, is an error.
pub(crate) fn bind_unix(
    path: &Path,
    owner: Option<&str>,
    group: Option<&str>,
    mode: u32,
) -> io::Result<UnixListener> {
    let owner = owner.map(user).transpose()?;
    let group = group.map(group_of).transpose()?;
    refuse_taken(path)?;
    // It appears under its name with the rights that it is to have.
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    refuse_taken(beside)?;
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(beside)?;
    fs::set_permissions(beside, Permissions::from_mode(mode))?;
    if owner.is_some() || group.is_some() {
        chown(beside, owner, group)?;
    }
    fs::rename(beside, path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// An error unless the path is free, or the socket of nobody.
fn refuse_taken(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::other(
            "there is a file that is no socket; choose another path, or remove it",
        ));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        _ => Err(io::Error::other(
            "another program listens there already; stop it, or choose another path",
        )),
    }
}

fn user(name: &str) -> io::Result<u32> {
    let found = User::from_name(name)?.map(|user| user.uid.as_raw());
    found.ok_or_else(|| io::Error::other(format!("there is no user {name}; see socket.owner")))
}

fn group_of(name: &str) -> io::Result<u32> {
    let found = Group::from_name(name)?.map(|group| group.gid.as_raw());
    found.ok_or_else(|| io::Error::other(format!("there is no group {name}; see socket.group")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    // Holds SE-03, OP-08.
    #[test]
    fn a_socket_has_its_mode_and_replaces_what_an_ended_process_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        for mode in [0o600, 0o660] {
            let listener = bind_unix(&path, None, None, mode).unwrap();
            let found = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode);
            let error = bind_unix(&path, None, None, mode).unwrap_err().to_string();
            assert!(error.contains("already"), "{error}");
            drop(listener);
        }
    }

    #[test]
    fn a_file_that_is_no_socket_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious");
        fs::write(&path, "data").unwrap();
        assert!(bind_unix(&path, None, None, 0o600).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"data");
    }

    #[test]
    fn names_of_nobody_are_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let error = bind_unix(&path, Some("nobody-of-that-name"), None, 0o600).unwrap_err();
        assert!(error.to_string().contains("socket.owner"), "{error}");
        let error = bind_unix(&path, Some("root"), Some("none-of-that-name"), 0o600).unwrap_err();
        assert!(error.to_string().contains("socket.group"), "{error}");
        assert!(!path.exists());
    }
}
