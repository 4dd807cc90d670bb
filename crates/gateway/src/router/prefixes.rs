//! Routes by the beginning of the path they need, so that ten thousand prefixes cost little more
//! than one.

/// Routes, as ascending indices, by the prefixes without which they cannot match.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    /// In the order of their texts: all that is a beginning of a path is among the ancestors of the
    /// last text that is not behind it.
    nodes: Vec<Node>,
    /// Routes that need no prefix.
    rest: Vec<usize>,
}

#[derive(Debug)]
struct Node {
    text: String,
    /// The longest other text that this one begins with.
    parent: Option<usize>,
    routes: Vec<usize>,
}

/// The routes that a path leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matching<'a> {
    prefixes: &'a Prefixes,
    /// The longest prefix of the path.
    longest: Option<usize>,
}

impl Prefixes {
    /// An index over routes in ascending order, with the prefixes of which each needs one; `None`:
    /// it may match any path.
    pub(super) fn new(routes: Vec<(usize, Option<Vec<&str>>)>) -> Self {
        let mut rest = Vec::new();
        let mut pairs = Vec::new();
        for (route, prefixes) in routes {
            match prefixes {
                None => rest.push(route),
                Some(prefixes) => pairs.extend(prefixes.into_iter().map(|text| (text, route))),
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut nodes: Vec<Node> = Vec::new();
        for (text, route) in pairs {
            match nodes.last_mut() {
                Some(last) if last.text == text => last.routes.push(route),
                _ => {
                    let parent = nodes.len().checked_sub(1);
                    nodes.push(Node {
                        text: text.to_owned(),
                        parent: beginning(&nodes, parent, text),
                        routes: vec![route],
                    });
                }
            }
        }
        Self { nodes, rest }
    }

    /// What may match a path.
    pub(super) fn matching(&self, path: &str) -> Matching<'_> {
        let behind = self
            .nodes
            .partition_point(|node| node.text.as_str() <= path);
        Matching {
            prefixes: self,
            longest: beginning(&self.nodes, behind.checked_sub(1), path),
        }
    }
}

/// The first of a node and its ancestors that the text begins with.
fn beginning(nodes: &[Node], mut node: Option<usize>, text: &str) -> Option<usize> {
    while let Some(index) = node {
        if text.starts_with(&nodes[index].text) {
            break;
        }
        node = nodes[index].parent;
    }
    node
}

impl Matching<'_> {
    /// The first route that is not before `from`.
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        let mut best = first(&self.prefixes.rest, from);
        let mut node = self.longest;
        while let Some(index) = node {
            let Node { parent, routes, .. } = &self.prefixes.nodes[index];
            best = best.into_iter().chain(first(routes, from)).min();
            node = *parent;
        }
        best
    }
}

fn first(routes: &[usize], from: usize) -> Option<usize> {
    match routes {
        [only] => (*only >= from).then_some(*only),
        _ => routes
            .get(routes.partition_point(|route| *route < from))
            .copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(prefixes: &Prefixes, path: &str) -> Vec<usize> {
        let matching = prefixes.matching(path);
        let mut found = Vec::new();
        while let Some(route) = matching.next(found.last().map_or(0, |last| last + 1)) {
            found.push(route);
        }
        found
    }

    #[test]
    fn what_a_path_begins_with_is_found_in_order() {
        let prefixes = Prefixes::new(vec![
            (0, Some(vec!["/a/b"])),
            (1, Some(vec!["/", "/a/c"])),
            (2, None),
            (3, Some(vec!["/a"])),
            (4, Some(vec!["/a/b"])),
            (5, Some(vec![])),
        ]);
        for (path, routes) in [
            ("/a/b/c", vec![0, 1, 2, 3, 4]),
            ("/a/bc", vec![0, 1, 2, 3, 4]),
            ("/a/c", vec![1, 2, 3]),
            ("/a/", vec![1, 2, 3]),
            ("/b", vec![1, 2]),
            ("*", vec![2]),
        ] {
            assert_eq!(all(&prefixes, path), routes, "{path}");
        }
    }
}
