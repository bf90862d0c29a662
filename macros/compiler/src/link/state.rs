//! What a chain carries from link to link, as tokens.
//!
//! `{ item { KEY kind name { vis } { attr } { item } { seen } } { asked… } { deps… } { KEY { entry } … } }`. Groups are handed
//! on unread, so that a link costs little however much was collected.

use super::seen;
use crate::source::Seen;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::collections::{BTreeMap, VecDeque};

/// Which paths are being asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Those in a model's body or in a params struct.
    Item,
    /// The types in a model's signature.
    Signature,
}

/// What the item is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A `#[model]` function.
    Model,
    /// A `#[params]` struct.
    Params,
}

/// The item at whose place the chain runs.
pub struct Root {
    /// Its unique name.
    pub key: Ident,
    /// What it is.
    pub kind: Kind,
    /// The user's name.
    pub name: Ident,
    /// Its visibility.
    pub vis: TokenStream,
    /// The arguments of its attribute.
    pub attr: TokenStream,
    /// The item without the attribute.
    pub item: TokenStream,
    /// What its file shows.
    pub seen: Seen,
}

/// A chain under way.
pub struct State {
    pub stage: Stage,
    pub root: Root,
    /// Paths and types still to be asked for; the first has been.
    pub asked: VecDeque<TokenStream>,
    /// The paths and types that were answered, and by whom.
    pub answered: Vec<(TokenStream, Ident)>,
    /// All that was collected, by key.
    pub entries: BTreeMap<String, (Ident, Group)>,
}

impl State {
    /// A chain that asks for these paths. What is known to be faulty has its answer.
    pub fn new(root: Root, asked: Vec<TokenStream>) -> State {
        let (key, entry) = (seen::faulty_key(), quote!({ faulty }));
        let answered: Vec<(TokenStream, Ident)> =
            root.seen.faulty.iter().map(|path| (path.clone(), key.clone())).collect();
        let mut entries = BTreeMap::new();
        if let (false, Some(TokenTree::Group(entry))) = (answered.is_empty(), entry.into_iter().next()) {
            entries.insert(key.to_string(), (key, entry));
        }
        let mut state = State { stage: Stage::Item, root, asked: VecDeque::new(), answered, entries };
        state.ask_for(asked);
        state
    }

    fn ask_for(&mut self, paths: Vec<TokenStream>) {
        let known: Vec<String> = self.answered.iter().map(|(path, _)| path.to_string()).collect();
        self.asked = paths.into_iter().filter(|path| !known.contains(&path.to_string())).collect();
    }

    /// On to the types in the signature.
    pub fn signature(mut self) -> State {
        self.ask_for(super::deps::of_signature(&self.root));
        self.stage = Stage::Signature;
        self
    }

    /// Takes in the answer to the first of the paths asked: a key, and entries of which one has it.
    pub fn take(&mut self, answer: Group) {
        let mut trees = answer.stream().into_iter();
        let (Some(TokenTree::Ident(key)), Some(path)) = (trees.next(), self.asked.pop_front()) else {
            return;
        };
        for (key, entry) in pairs(trees) {
            self.entries.entry(key.to_string()).or_insert((key, entry));
        }
        // Params take only sizes, but what the compiler knows takes types: `Adam<Mlp>`.
        if self.entry(&key).is_some_and(super::answer::is_builtin) {
            let answered =
                |ty: &TokenStream| self.answered.iter().any(|(p, _)| p.to_string() == ty.to_string());
            let more = super::deps::type_arguments(&path);
            let more: Vec<TokenStream> = more.into_iter().filter(|ty| !answered(ty)).collect();
            more.into_iter().rev().for_each(|ty| self.asked.push_front(ty));
        }
        self.answered.push((path, key));
    }

    pub fn entry(&self, key: &Ident) -> Option<&Group> {
        self.entries.get(&key.to_string()).map(|(_, entry)| entry)
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Root { key, kind, name, vis, attr, item, seen } = self;
        let kind = kind_ident(*kind);
        tokens.extend(quote!({ #key #kind #name { #vis } { #attr } { #item } { #seen } }));
    }
}

impl ToTokens for State {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let stage = match self.stage {
            Stage::Item => quote!(item),
            Stage::Signature => quote!(signature),
        };
        let (root, asked) = (&self.root, self.asked.iter());
        let answered = self.answered.iter().map(|(path, key)| quote!(#key { #path }));
        let entries = self.entries.values().map(|(key, entry)| quote!(#key #entry));
        tokens.extend(quote!({ #stage #root { #({ #asked })* } { #(#answered)* } { #(#entries)* } }));
    }
}

/// The word for a kind in tokens.
pub fn kind_ident(kind: Kind) -> TokenStream {
    match kind {
        Kind::Model => quote!(model),
        Kind::Params => quote!(params),
    }
}

/// The state and the answer in the tokens of a step; `None` if they were not made by a link.
pub fn read_step(tokens: TokenStream) -> Option<(State, Group)> {
    let mut trees = tokens.into_iter();
    let state = read_state(group(&mut trees)?)?;
    Some((state, group(&mut trees)?)).filter(|(state, _)| !state.asked.is_empty())
}

fn read_state(state: Group) -> Option<State> {
    let mut trees = state.stream().into_iter();
    let stage = match ident(&mut trees)?.to_string().as_str() {
        "item" => Stage::Item,
        "signature" => Stage::Signature,
        _ => return None,
    };
    let root = read_root(group(&mut trees)?)?;
    let asked = groups(group(&mut trees)?).map(|g| g.stream()).collect();
    let answered = pairs(group(&mut trees)?.stream()).map(|(key, path)| (path.stream(), key)).collect();
    let entries = pairs(group(&mut trees)?.stream()).map(|(key, e)| (key.to_string(), (key, e))).collect();
    Some(State { stage, root, asked, answered, entries })
}

fn read_root(root: Group) -> Option<Root> {
    let mut trees = root.stream().into_iter();
    let key = ident(&mut trees)?;
    let kind = match ident(&mut trees)?.to_string().as_str() {
        "model" => Kind::Model,
        "params" => Kind::Params,
        _ => return None,
    };
    let name = ident(&mut trees)?;
    let mut next = || group(&mut trees).map(|g| g.stream());
    Some(Root { key, kind, name, vis: next()?, attr: next()?, item: next()?, seen: seen::read(next()?) })
}

/// `KEY { … } KEY { … } …`
pub fn pairs(trees: impl IntoIterator<Item = TokenTree>) -> impl Iterator<Item = (Ident, Group)> {
    let mut trees = trees.into_iter();
    std::iter::from_fn(move || Some((ident(&mut trees)?, group(&mut trees)?)))
}

pub fn groups(of: Group) -> impl Iterator<Item = Group> {
    of.stream().into_iter().filter_map(|tree| match tree {
        TokenTree::Group(g) => Some(g),
        _ => None,
    })
}

pub fn ident(trees: &mut impl Iterator<Item = TokenTree>) -> Option<Ident> {
    match trees.next()? {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    }
}

/// The next group in braces. A `macro_rules!` hands a matched tree on in an invisible group.
pub fn group(trees: &mut impl Iterator<Item = TokenTree>) -> Option<Group> {
    match trees.next()? {
        TokenTree::Group(g) if g.delimiter() == Delimiter::Brace => Some(g),
        TokenTree::Group(g) if g.delimiter() == Delimiter::None => group(&mut g.stream().into_iter()),
        _ => None,
    }
}
