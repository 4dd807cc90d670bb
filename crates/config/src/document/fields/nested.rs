//! Options that hold maps and lists of maps.

use super::{Fields, Node, Spelling};
use crate::document::Value;

impl<'a> Fields<'a> {
    /// A map of options; `read` gets a reader of it. `None` when it is absent.
    pub fn map<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Option<T> {
        let node = self.node(key)?;
        self.option(node, self.dotted(key), read)
    }

    /// As [`Fields::map`], with nothing as an empty map where the key is there without a value.
    pub fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Option<T> {
        let node = self.value(key)?;
        let path = self.dotted(key);
        Some(self.inside(node, path, read))
    }

    /// A list of maps. One map is a list too.
    pub fn maps<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Fields<'a>) -> T,
    ) -> Vec<T> {
        let items = match self.node(key) {
            None => return Vec::new(),
            Some(Node {
                value: Value::List(items),
                ..
            }) => items.as_slice(),
            Some(node) => std::slice::from_ref(node),
        };
        let read_item = |(index, item)| {
            let path = self.dotted(&format!("{key}[{index}]"));
            self.inside(item, path, &mut read)
        };
        items.iter().enumerate().map(read_item).collect()
    }

    /// A map whose names are the user's and whose values are maps of options.
    pub fn entries<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&'a str, &mut Fields<'a>) -> T,
    ) -> Vec<T> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        if !node.is_map() {
            self.error(
                key,
                format!("expects a map of names, found {}", node.kind()),
            );
        }
        let read_member = |member: &'a super::Member| {
            let path = self.dotted(&format!("{key}.{}", member.key));
            self.option(&member.value, path, |fields| read(&member.key, fields))
        };
        node.members().iter().filter_map(read_member).collect()
    }

    /// Flags can switch a map off; variables that mean something else do not switch it on.
    fn option<T>(
        &mut self,
        node: &'a Node,
        path: String,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Option<T> {
        let mut fields = Fields::below(node, self.object.clone(), path, self.spelling);
        if fields.switch() == Some(false) {
            return None;
        }
        let value = read(&mut fields);
        let is_foreign = self.spelling == Spelling::Environment
            && fields.read.is_empty()
            && fields.switch().is_none();
        if is_foreign {
            return None;
        }
        self.findings.append(&mut fields.finish());
        Some(value)
    }

    fn inside<T>(
        &mut self,
        node: &'a Node,
        path: String,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> T {
        let mut fields = Fields::below(node, self.object.clone(), path, self.spelling);
        let value = read(&mut fields);
        self.findings.append(&mut fields.finish());
        value
    }
}
