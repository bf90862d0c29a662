//! The tree of a net's parameters and buffers, from their names in the file: structs whose leaves have those names.

use crate::file::Case;
use std::collections::BTreeMap;

/// A module of torch, or a tensor.
pub enum Node {
    /// A tensor of a shape; a buffer or not.
    Leaf(Vec<usize>, bool),
    /// What it holds, by name.
    Inner(BTreeMap<String, Node>),
}

/// The struct that holds all.
const ROOT: &str = "Net";

/// The tree, and its structs as source.
pub struct Tree {
    root: Node,
    /// The structs, each before those that hold it.
    pub structs: String,
}

impl Tree {
    /// The tree of a case.
    pub fn new(c: &Case) -> Tree {
        let mut root = Node::Inner(BTreeMap::new());
        for (prefix, buffer) in [("param.", false), ("buf.", true)] {
            for (name, ty) in c.group(prefix) {
                insert(&mut root, name, Node::Leaf(ty.shape.clone(), buffer));
            }
        }
        let mut forms = Forms::default();
        forms.of(&root, ROOT);
        Tree { root, structs: forms.source }
    }

    /// The node under a name of torch.
    pub fn node(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(&self.root, |node, part| match node {
            Node::Inner(parts) => parts.get(part),
            Node::Leaf(..) => None,
        })
    }

    /// The shape of a tensor.
    pub fn shape(&self, path: &str) -> Option<&[usize]> {
        match self.node(path)? {
            Node::Leaf(shape, _) => Some(shape),
            Node::Inner(_) => None,
        }
    }

    /// The expression for a node: `net.layer1[0].conv1`.
    pub fn at(&self, path: &str) -> Option<String> {
        let (mut node, mut out) = (&self.root, "net".to_string());
        for part in path.split('.') {
            let Node::Inner(parts) = node else { return None };
            out += &if is_array(parts) { format!("[{part}]") } else { format!(".{}", field(part)) };
            node = parts.get(part)?;
        }
        Some(out)
    }
}

fn insert(node: &mut Node, path: &str, leaf: Node) {
    let Node::Inner(parts) = node else { return };
    match path.split_once('.') {
        Some((part, rest)) => {
            let inner = parts.entry(part.to_string()).or_insert_with(|| Node::Inner(BTreeMap::new()));
            insert(inner, rest, leaf);
        }
        None => _ = parts.insert(path.to_string(), leaf),
    }
}

/// Whether parts are the entries of an array: numbered from 0, all of one form, and more than one.
fn is_array(parts: &BTreeMap<String, Node>) -> bool {
    let numbered = (0..parts.len()).all(|i| parts.contains_key(&i.to_string()));
    let mut forms = parts.values().map(form);
    let first = forms.next();
    let inner = parts.values().all(|part| matches!(part, Node::Inner(_)));
    parts.len() > 1 && numbered && inner && forms.all(|form| Some(form) == first)
}

/// All that a node holds, as text.
fn form(node: &Node) -> String {
    match node {
        Node::Leaf(shape, buffer) => format!("{shape:?}{buffer}"),
        Node::Inner(parts) => parts.iter().map(|(name, part)| format!("{name}({})", form(part))).collect(),
    }
}

/// A field's name: torch's in small letters, and a letter before a number.
fn field(part: &str) -> String {
    let mut out = String::new();
    for c in part.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    match out.as_str() {
        "self" => "own".into(),
        _ if out.starts_with(|c: char| c.is_ascii_digit()) => format!("p{out}"),
        _ => out,
    }
}

/// `layer1` as `Layer1`.
fn camel(part: &str) -> String {
    let words = part.split('_').map(|word| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + chars.as_str())
    });
    words.collect()
}

/// The structs so far, by form.
#[derive(Default)]
struct Forms {
    names: BTreeMap<String, String>,
    source: String,
}

impl Forms {
    /// The type of a node; the structs it needs are written.
    fn of(&mut self, node: &Node, hint: &str) -> String {
        let parts = match node {
            Node::Leaf(shape, _) => {
                let dims: Vec<String> = shape.iter().map(|n| n.to_string()).collect();
                return format!("Tensor<{}>", dims.join(", "));
            }
            Node::Inner(parts) => parts,
        };
        if is_array(parts) {
            return format!("[{}; {}]", self.of(&parts["0"], hint), parts.len());
        }
        let form = form(node);
        if let Some(name) = self.names.get(&form) {
            return name.clone();
        }
        let mut fields = String::new();
        for (part, inner) in parts {
            let numbered = part.starts_with(|c: char| c.is_ascii_digit());
            let id = field(part);
            let hint = if numbered { format!("{hint}{part}") } else { camel(&id) };
            let ty = self.of(inner, &hint);
            let renamed = if id == *part { String::new() } else { format!("#[name({part:?})] ") };
            let buffer = if matches!(inner, Node::Leaf(_, true)) { "#[buffer] " } else { "" };
            fields += &format!("        {renamed}{buffer}{id}: {ty},\n");
        }
        let taken = |name: &String| self.names.values().any(|other| other == name);
        // The library has names such as `LayerNorm`, too.
        let first = if hint == ROOT { hint.to_string() } else { format!("{hint}Params") };
        let candidates = std::iter::once(first).chain((2..).map(|i| format!("{hint}Params{i}")));
        let name = candidates.into_iter().find(|name| !taken(name)).expect("names don't end");
        self.source += &format!("    #[params]\n    struct {name} {{\n{fields}    }}\n");
        self.names.insert(form, name.clone());
        name
    }
}
