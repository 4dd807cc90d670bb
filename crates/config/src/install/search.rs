//! Where a configuration file may be.

/// The names a configuration file may have, first match first: ours before Traefik's, each in
/// Traefik's folders. `config_home` is `$XDG_CONFIG_HOME`, `home` is `$HOME`.
pub fn search_names(config_home: Option<&str>, home: Option<&str>) -> Vec<String> {
    let mut folders = vec!["/etc/traefik".to_owned()];
    let is_set = |folder: &&str| !folder.is_empty();
    folders.extend(config_home.filter(is_set).map(str::to_owned));
    folders.extend(home.filter(is_set).map(|home| format!("{home}/.config")));
    folders.push(".".to_owned());
    let mut names = Vec::new();
    for product in ["carnet", "traefik"] {
        for folder in &folders {
            for extension in ["yaml", "yml", "toml"] {
                names.push(format!("{folder}/{product}.{extension}"));
            }
        }
    }
    names
}
