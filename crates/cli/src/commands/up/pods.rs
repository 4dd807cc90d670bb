//! Workloads whose images carnet carries, run in this process: each with its own arguments,
//! environment and addresses. A workload is restarted only when its pod template changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carnet_providers::kubernetes::manifests::Identity;
use carnet_providers::kubernetes::workloads::{Container, Workload};
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::network::Network;
use crate::commands;
use crate::output;
use crate::process::Process;

/// The images we carry, by their last two path components, and the programs they are.
const IMAGES: [(&str, &str); 4] = [
    ("carnet/carnet", "carnet"),
    ("jlevesy/hail-hydra", "hail-hydra"),
    ("oryd/hydra", "hydra"),
    ("traefik/whoami", "whoami"),
];

/// What runs.
#[derive(Debug, Default)]
pub(super) struct Pods {
    running: BTreeMap<Identity, Pod>,
}

#[derive(Debug)]
struct Pod {
    template: [u8; 32],
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Pods {
    /// Makes what runs what shall run: stops what is gone or changed, starts what is new. Gives what
    /// was started.
    pub(super) async fn reconcile(
        &mut self,
        workloads: &[Workload],
        network: &Arc<Network>,
        process: &Process,
    ) -> BTreeSet<Identity> {
        let wanted: BTreeMap<&Identity, &Workload> = workloads
            .iter()
            .filter(|workload| is_carried(workload))
            .map(|workload| (&workload.identity, workload))
            .collect();
        let leaving: Vec<Identity> = self
            .running
            .iter()
            .filter(|(name, pod)| {
                wanted
                    .get(name)
                    .is_none_or(|workload| workload.template_fingerprint != pod.template)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in leaving {
            if let Some(pod) = self.running.remove(&name) {
                pod.stop().await;
                network.forget(&name);
            }
        }
        let mut started = BTreeSet::new();
        for (name, workload) in wanted {
            if workload.diagnostics.is_empty() && !self.running.contains_key(name) {
                let pod = Pod::start(workload, network, process);
                self.running.insert(name.clone(), pod);
                started.insert(name.clone());
            }
        }
        started
    }

    /// Stops everything, and waits for it.
    pub(super) async fn stop(self) {
        join_all(self.running.into_values().map(Pod::stop)).await;
    }
}

impl Pod {
    fn start(workload: &Workload, network: &Arc<Network>, process: &Process) -> Self {
        let stop = CancellationToken::new();
        let surroundings = Process {
            out: Arc::clone(&process.err),
            listen: network.listen(&workload.identity),
            listen_beside: network.listen(&workload.identity),
            resolve: network.resolve(),
            shutdown: stop.clone(),
            ..process.clone()
        };
        Self {
            template: workload.template_fingerprint,
            stop,
            task: tokio::spawn(run(workload.clone(), surroundings)),
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        // A pod that panicked has ended, too.
        drop(self.task.await);
    }
}

/// Whether every container of a workload is one that we carry.
pub(super) fn is_carried(workload: &Workload) -> bool {
    let all = workload.init_containers.iter().chain(&workload.containers);
    !workload.containers.is_empty() && all.into_iter().all(|one| command_line(one).is_some())
}

/// The first image of a workload that is not carried.
pub(super) fn foreign_image(workload: &Workload) -> Option<&str> {
    let all = workload.init_containers.iter().chain(&workload.containers);
    all.into_iter()
        .find(|container| command_line(container).is_none())
        .map(|container| container.image.as_str())
}

async fn run(workload: Workload, process: Process) {
    let pod = workload.identity.to_string();
    for container in &workload.init_containers {
        if run_container(container, &process).await != output::DONE {
            let name = &container.name;
            let sentence =
                format!("{pod}: its init container {name} failed, so its containers do not start");
            return output::say(&process, &sentence);
        }
    }
    let containers = workload.containers.iter();
    join_all(containers.map(|container| async {
        let code = run_container(container, &process).await;
        if !process.shutdown.is_cancelled() {
            let name = &container.name;
            output::say(
                &process,
                &format!("{pod}: container {name} ended with {code}"),
            );
        }
    }))
    .await;
}

async fn run_container(container: &Container, process: &Process) -> u8 {
    let Some(line) = command_line(container) else {
        return output::FAILED;
    };
    let process = Process {
        env: Arc::new(container.env.clone()),
        ..process.clone()
    };
    commands::run(line, &process).await
}

/// What a container runs, as it would be typed; `None` when it is no program of ours.
fn command_line(container: &Container) -> Option<Vec<String>> {
    let (program, rest) = match container.command.split_first() {
        Some((first, rest)) => {
            let name = first.rsplit('/').next().unwrap_or(first);
            let program = IMAGES
                .iter()
                .map(|(_, program)| *program)
                .find(|p| *p == name)?;
            (program, rest)
        }
        None => {
            let (_, program) = IMAGES.iter().find(|(image, _)| *image == container.image)?;
            (*program, &[][..])
        }
    };
    let words = std::iter::once(program.to_owned());
    Some(
        words
            .chain(rest.iter().cloned())
            .chain(container.args.iter().cloned())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(image: &str, command: &[&str], args: &[&str]) -> Container {
        Container {
            image: image.to_owned(),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            args: args.iter().map(|&word| word.to_owned()).collect(),
            name: "one".to_owned(),
            env: BTreeMap::new(),
            ports: Vec::new(),
        }
    }

    #[test]
    fn a_container_runs_the_program_of_its_image_or_command() {
        for (image, command, args, line) in [
            (
                "oryd/hydra",
                &[][..],
                &["serve", "all"][..],
                Some("hydra serve all"),
            ),
            (
                "traefik/whoami",
                &[],
                &["-port", "81"],
                Some("whoami -port 81"),
            ),
            (
                "mirror/hydra",
                &["/usr/bin/hydra", "serve"],
                &["all"],
                Some("hydra serve all"),
            ),
            ("oryd/hydra", &["sh", "-c"], &["hydra version"], None),
            ("library/nginx", &[], &[], None),
        ] {
            let typed = command_line(&container(image, command, args)).map(|words| words.join(" "));
            assert_eq!(typed.as_deref(), line, "{image} {command:?}");
        }
    }

    #[test]
    fn a_workload_with_one_foreign_container_is_not_carried() {
        let mut workload = Workload {
            identity: Identity {
                group: "apps".to_owned(),
                kind: "Deployment".to_owned(),
                namespace: "apps".to_owned(),
                name: "whoami".to_owned(),
            },
            replicas: 1,
            labels: BTreeMap::new(),
            init_containers: Vec::new(),
            containers: vec![container("traefik/whoami", &[], &[])],
            template_fingerprint: [0; 32],
            diagnostics: Vec::new(),
        };
        assert!(is_carried(&workload));
        workload
            .containers
            .push(container("library/nginx", &[], &[]));
        assert!(!is_carried(&workload));
        assert_eq!(foreign_image(&workload), Some("library/nginx"));
        workload.containers.clear();
        assert!(!is_carried(&workload));
    }
}
