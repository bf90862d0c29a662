//! Statements, and what the names in them stand for.

use super::calls::{Given, closure_name};
use super::functions::Named;
use super::hidden;
use crate::library::{Entry, Library};
use crate::syntax::ast::{ArgKind, Model, Tensors};
use proc_macro2::{Ident, Punct, Spacing, TokenStream};
use quote::{ToTokens, quote};
use std::collections::BTreeMap;
use std::rc::Rc;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprClosure, Local, Pat, PatIdent, Stmt};

/// What a local name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    /// A value, cloned where it is used: tensors, references, numbers.
    Value,
    /// `&mut` of a tree.
    Tree,
    /// `&mut` of a tensor.
    State,
    /// `&mut` of tensors in tuples and arrays.
    States,
    /// A closure, which is a macro here: its body stands where it is called, as the tracer has it.
    Closure(usize),
    /// Another function: a transform, a model.
    Function(usize),
}

/// A body that is rewritten.
pub struct Body<'a> {
    pub library: &'a Library,
    pub entry: &'a Entry,
    /// What is returned.
    pub result: &'a Tensors,
    /// What names stand for, and how many were bound before each.
    scopes: Vec<BTreeMap<String, (Name, usize)>>,
    bound: usize,
    /// Closures and other functions that have names.
    pub closures: Vec<Named>,
    pub functions: Vec<Rc<Expr>>,
    /// How many blocks of gradients there are, for names of their own.
    pub gradients: usize,
    refused: Option<String>,
}

impl<'a> Body<'a> {
    /// The body of a model, its arguments in scope.
    pub fn new(library: &'a Library, entry: &'a Entry, model: &'a Model) -> Body<'a> {
        let arguments = model.args.iter().map(|arg| {
            let name = match &arg.kind {
                ArgKind::ParamsMut(_) => Name::Tree,
                ArgKind::TensorMut(Tensors::One(_)) => Name::State,
                ArgKind::TensorMut(_) => Name::States,
                _ => Name::Value,
            };
            (arg.ident.to_string(), (name, 0))
        });
        let (result, scopes) = (&model.result, vec![arguments.collect()]);
        let (closures, functions) = (Vec::new(), Vec::new());
        Body { library, entry, result, scopes, bound: 1, closures, functions, gradients: 0, refused: None }
    }

    /// The body as Rust; what it can't be, if it can't.
    pub fn rewritten(mut self, block: &Block) -> Result<TokenStream, String> {
        let body = self.block(block);
        let body = super::several::returned(self.result, body);
        match self.refused {
            None => Ok(body),
            Some(what) => Err(what),
        }
    }

    /// Notes that something has no eager form.
    pub fn refuse(&mut self, what: &str) -> TokenStream {
        self.refused.get_or_insert_with(|| what.to_string());
        TokenStream::new()
    }

    /// What a path that is one local name stands for.
    pub fn local(&self, expr: &Expr) -> Option<(Ident, Name)> {
        match expr {
            Expr::Path(p) => {
                let ident = p.path.get_ident()?;
                Some((ident.clone(), self.local_since(ident)?.0))
            }
            Expr::Paren(p) => self.local(&p.expr),
            Expr::Group(g) => self.local(&g.expr),
            _ => None,
        }
    }

    /// What a name stands for, and how many were bound before.
    pub fn local_since(&self, ident: &Ident) -> Option<(Name, usize)> {
        self.scopes.iter().rev().find_map(|scope| scope.get(&ident.to_string())).copied()
    }

    pub fn scoped<R>(&mut self, inside: impl FnOnce(&mut Self) -> R) -> R {
        self.scopes.push(BTreeMap::new());
        let result = inside(self);
        self.scopes.pop();
        result
    }

    pub fn bind(&mut self, pat: &Pat, name: Name) {
        names_in(pat).iter().for_each(|ident| self.define(ident, name));
    }

    /// The names in a pattern that stand for values.
    pub fn values_in(&self, pat: &Pat) -> Vec<Ident> {
        let is_value = |ident: &Ident| matches!(self.local_since(ident), Some((Name::Value, _)));
        names_in(pat).into_iter().filter(is_value).collect()
    }

    /// Lets a name stand for something.
    pub fn define(&mut self, ident: &Ident, name: Name) {
        let scope = self.scopes.last_mut().expect("a scope is open from the start");
        scope.insert(ident.to_string(), (name, self.bound));
        self.bound += 1;
    }

    /// `{ … }`
    pub fn block(&mut self, block: &Block) -> TokenStream {
        let statements = self.scoped(|body| body.statements(&block.stmts));
        quote!({ #statements })
    }

    fn statements(&mut self, statements: &[Stmt]) -> TokenStream {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &Stmt) -> TokenStream {
        match statement {
            Stmt::Local(local) => self.let_(local),
            Stmt::Expr(expr, None) => self.value(expr),
            Stmt::Expr(expr, Some(_)) => {
                let value = self.value(expr);
                quote!(#value;)
            }
            Stmt::Item(item @ (syn::Item::Const(_) | syn::Item::Use(_))) => item.to_token_stream(),
            Stmt::Item(_) | Stmt::Macro(_) => self.refuse("an item or a macro"),
        }
    }

    fn let_(&mut self, local: &Local) -> TokenStream {
        let Some(init) = &local.init else { return self.refuse("a `let` without a value") };
        let pat = untyped(&local.pat);
        if let Pat::Ident(name) = pat
            && let Some(made) = self.function(&name.ident, &init.expr)
        {
            return made;
        }
        let mutable = matches!(&*init.expr, Expr::Reference(r) if r.mutability.is_some());
        let states = match (pat, self.local(&init.expr)) {
            (Pat::Tuple(_) | Pat::Slice(_), Some((_, Name::States))) => Some(Name::State),
            (_, Some((_, Name::States))) => Some(Name::States),
            _ => None,
        };
        let value = self.value(&init.expr);
        self.bind(pat, states.unwrap_or(if mutable { Name::Tree } else { Name::Value }));
        match pat {
            Pat::Slice(slice) if states.is_none() => {
                let parts = slice.elems.len();
                quote!(let #pat = ::kiln::rt::eager::parts::<_, #parts>(#value);)
            }
            _ if has_slice(pat) && states.is_none() => self.refuse("an array in another pattern"),
            _ => quote!(let #pat = #value;),
        }
    }

    /// A closure as a macro: what it names outside is what it was where the closure stands.
    pub fn closure(&mut self, closure: &ExprClosure) -> (TokenStream, Name) {
        let (known, before) = (self.closures.len(), self.bound);
        self.closures.push(Named { closure: closure.clone(), before, kept: Vec::new() });
        let name = closure_name(known);
        let arguments: Vec<Ident> = (0..closure.inputs.len()).map(|i| hidden(&format!("a{i}"))).collect();
        let dollar = Punct::new('$', Spacing::Alone);
        let given = arguments.iter().map(|a| quote!(#dollar #a)).collect();
        let body = self.with_arguments(closure, given);
        let made = quote! {
            #[allow(unused_macros)]
            macro_rules! #name {
                (#(#dollar #arguments: expr),* #dollar(,)?) => { #body };
            }
        };
        (made, Name::Closure(known))
    }

    /// The body of a closure for these arguments.
    pub fn applied(&mut self, closure: &ExprClosure, given: &[Given]) -> TokenStream {
        let given = given.iter().enumerate().map(|(i, g)| match g {
            Given::Copy(ident) if self.closure_changes(closure, i) => quote!(&mut #ident),
            _ => self.given(g),
        });
        let given = given.collect();
        self.with_arguments(closure, given)
    }

    fn with_arguments(&mut self, closure: &ExprClosure, given: Vec<TokenStream>) -> TokenStream {
        if returns(&closure.body) || closure.inputs.len() != given.len() {
            return self.refuse("a closure with `return`");
        }
        let patterns: Vec<&Pat> = closure.inputs.iter().map(untyped).collect();
        if patterns.iter().any(|pat| has_slice(pat)) {
            return self.refuse("a closure with an array pattern");
        }
        let changed: Vec<bool> = (0..patterns.len()).map(|i| self.closure_changes(closure, i)).collect();
        let body = self.scoped(|body| {
            for (pat, changed) in patterns.iter().zip(changed) {
                body.bind(pat, if changed { Name::Tree } else { Name::Value });
            }
            body.value(&closure.body)
        });
        quote!({ #(let #patterns = #given;)* #body })
    }
}

/// A pattern without the type beside it, which is a model's and not Rust's.
pub fn untyped(pat: &Pat) -> &Pat {
    match pat {
        Pat::Type(typed) => untyped(&typed.pat),
        Pat::Paren(paren) => untyped(&paren.pat),
        other => other,
    }
}

fn names_in(pat: &Pat) -> Vec<Ident> {
    struct Bound(Vec<Ident>);
    impl<'ast> Visit<'ast> for Bound {
        fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
            self.0.push(pat.ident.clone());
            visit::visit_pat_ident(self, pat);
        }
    }
    let mut bound = Bound(Vec::new());
    bound.visit_pat(pat);
    bound.0
}

fn has_slice(pat: &Pat) -> bool {
    struct Slices(bool);
    impl<'ast> Visit<'ast> for Slices {
        fn visit_pat_slice(&mut self, _: &'ast syn::PatSlice) {
            self.0 = true;
        }
    }
    let mut slices = Slices(false);
    slices.visit_pat(pat);
    slices.0
}

fn returns(expr: &Expr) -> bool {
    struct Returns(bool);
    impl<'ast> Visit<'ast> for Returns {
        fn visit_expr_return(&mut self, _: &'ast syn::ExprReturn) {
            self.0 = true;
        }
    }
    let mut returns = Returns(false);
    returns.visit_expr(expr);
    returns.0
}
