//! `acme.json` as a file: only its owner may read it, and it is whole at any time.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use carnet_config::install::Acme;
use carnet_gateway::{CertificatesResolver, Storage};
use secrecy::{ExposeSecret as _, SecretString};

use crate::output::Failure;

/// What nobody but the owner may have.
const OTHERS: u32 = 0o077;
const OWNER_ALONE: u32 = 0o600;

/// Resolvers with what their options name.
pub(super) fn resolvers(
    options: &BTreeMap<String, Acme>,
) -> Result<BTreeMap<String, CertificatesResolver>, Failure> {
    let opened = options.iter().map(|(name, acme)| {
        let read = |path: &String| {
            fs::read_to_string(path).map_err(|error| {
                Failure::new(format!(
                    "certificatesResolvers.{name}.acme.caCertificates: {path} cannot be read: \
                     {error}"
                ))
            })
        };
        let authorities: Result<_, Failure> = acme.ca_certificates.iter().map(read).collect();
        let resolver = CertificatesResolver {
            acme: acme.clone(),
            authorities: authorities?,
            storage: Arc::new(AcmeFile(PathBuf::from(&acme.storage))),
        };
        Ok((name.clone(), resolver))
    });
    opened.collect()
}

/// A file at a path.
#[derive(Debug)]
struct AcmeFile(PathBuf);

impl AcmeFile {
    fn failed(&self, word: &str, error: &io::Error) -> String {
        format!("{} cannot be {word}: {error}", self.0.display())
    }

    /// A new file in the place of the old one, once it is on the disk.
    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let mut beside = self.0.as_os_str().to_owned();
        beside.push(".new");
        let beside = Path::new(&beside);
        write(beside, text)?;
        fs::rename(beside, &self.0).inspect_err(|_| drop(fs::remove_file(beside)))
    }
}

impl Storage for AcmeFile {
    fn read(&self) -> Result<Option<SecretString>, String> {
        let path = self.0.display();
        let mode = match fs::metadata(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("read", &error)),
            Ok(found) => found.permissions().mode() & 0o777,
        };
        if mode & OTHERS != 0 {
            return Err(format!(
                "others may read the keys in {path} (its mode is {mode:o}); type `chmod 600 {path}`"
            ));
        }
        let text = fs::read_to_string(&self.0);
        let text = text.map_err(|error| self.failed("read", &error))?;
        Ok(Some(text.into()))
    }

    fn write(&self, text: &SecretString) -> Result<(), String> {
        let text = text.expose_secret().as_bytes();
        // A file that is mounted by itself cannot be replaced, only written.
        let written = self.replace(text).or_else(|error| match self.0.exists() {
            true => write(&self.0, text),
            false => Err(error),
        });
        written.map_err(|error| self.failed("written", &error))
    }
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file: File = options.mode(OWNER_ALONE).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn in_a_folder() -> (tempfile::TempDir, AcmeFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = AcmeFile(folder.path().join("acme.json"));
        (folder, file)
    }

    // Holds SE-03.
    #[test]
    fn what_is_written_is_for_the_owner_alone_and_leaves_nothing_beside_it() {
        let (folder, file) = in_a_folder();
        assert!(file.read().unwrap().is_none());
        for text in ["{}", "{\"a\": 1}"] {
            file.write(&text.into()).unwrap();
            assert_eq!(file.read().unwrap().unwrap().expose_secret(), text);
            let mode = fs::metadata(&file.0).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, OWNER_ALONE);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_to_do() {
        let (_folder, file) = in_a_folder();
        file.write(&"{}".into()).unwrap();
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&file.0, fs::Permissions::from_mode(mode)).unwrap();
            let reason = file.read().unwrap_err();
            assert!(reason.contains("chmod 600"), "{reason}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_sentence() {
        let reason = AcmeFile("/nowhere/acme.json".into()).write(&"{}".into());
        assert!(
            reason
                .unwrap_err()
                .contains("/nowhere/acme.json cannot be written")
        );
    }
}
