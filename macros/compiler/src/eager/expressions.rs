//! Expressions: as values, where locals are cloned, and as places, where they are not.

use super::numbers;
use super::statements::{Body, Name, untyped};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Arm, BinOp, Expr, ExprAssign, ExprBinary, ExprCast, ExprForLoop, ExprIf, ExprMatch, ExprReference,
    ExprUnary, Pat, UnOp,
};

impl Body<'_> {
    /// An expression whose value is taken.
    pub fn value(&mut self, expr: &Expr) -> TokenStream {
        if let Some((ident, name)) = self.local(expr) {
            return match name {
                Name::Value => quote!(::core::clone::Clone::clone(&#ident)),
                Name::Tree | Name::States => quote!(&mut *#ident),
                Name::State => quote!(::core::clone::Clone::clone(&*#ident)),
                Name::Closure(_) | Name::Function(_) => self.refuse("a function as a value"),
            };
        }
        match expr {
            Expr::Lit(lit) => numbers::literal(lit),
            Expr::Path(path) if self.is_float(path) => quote!((#path as f64)),
            Expr::Path(path) => numbers::path(path),
            Expr::Paren(p) => {
                let inner = self.value(&p.expr);
                quote!((#inner))
            }
            Expr::Group(g) => {
                // It was one operand where a macro took it.
                let inner = self.value(&g.expr);
                quote!((#inner))
            }
            Expr::Reference(r) => self.reference(r),
            Expr::Unary(u) => self.unary(u),
            Expr::Binary(b) => self.binary(b),
            Expr::Assign(a) => self.assign(a),
            Expr::Field(_) | Expr::Index(_) => {
                let place = self.place(expr);
                quote!(::core::clone::Clone::clone(&#place))
            }
            Expr::MethodCall(call) => self.method(call),
            Expr::Call(call) => self.call(call),
            Expr::Cast(cast) => self.cast(cast),
            Expr::Tuple(t) => {
                let elems: Vec<_> = t.elems.iter().map(|e| self.value(e)).collect();
                if elems.len() == 1 { quote!((#(#elems),*,)) } else { quote!((#(#elems),*)) }
            }
            Expr::Array(a) => {
                let elems = a.elems.iter().map(|e| self.value(e));
                quote!([#(#elems),*])
            }
            Expr::Repeat(r) => {
                let (value, len) = (self.value(&r.expr), &r.len);
                quote!(::core::array::from_fn::<_, { #len }, _>(|_| #value))
            }
            Expr::Range(r) => {
                let (start, end) = (r.start.as_ref(), r.end.as_ref());
                let start = start.map(|e| self.value(e));
                let (limits, end) = (&r.limits, end.map(|e| self.value(e)));
                quote!((#start #limits #end))
            }
            Expr::Block(b) => self.block(&b.block),
            Expr::If(i) => self.condition(i),
            Expr::Match(m) => self.choose(m),
            Expr::ForLoop(f) => self.for_loop(f),
            Expr::Return(r) => {
                let value = r.expr.as_ref().map(|e| self.value(e));
                let value = value.map(|value| super::several::returned(self.result, value));
                quote!(return #value)
            }
            Expr::Break(_) | Expr::Continue(_) | Expr::Infer(_) => expr.to_token_stream(),
            Expr::Closure(_) => self.refuse("a closure as a value"),
            _ => self.refuse("an expression that isn't known here"),
        }
    }

    /// An expression that is borrowed, assigned to, or called on.
    pub fn place(&mut self, expr: &Expr) -> TokenStream {
        if let Some((ident, name)) = self.local(expr) {
            return match name {
                Name::Closure(_) | Name::Function(_) => self.refuse("a function as a value"),
                _ => quote!(#ident),
            };
        }
        match expr {
            Expr::Field(f) => {
                let (base, member) = (self.place(&f.base), &f.member);
                quote!(#base.#member)
            }
            Expr::Index(i) => {
                let (base, index) = (self.place(&i.expr), self.value(&i.index));
                quote!(#base[#index])
            }
            Expr::Paren(syn::ExprParen { expr, .. }) | Expr::Group(syn::ExprGroup { expr, .. }) => {
                let inner = self.place(expr);
                quote!((#inner))
            }
            Expr::Unary(u) if matches!(u.op, UnOp::Deref(_)) => {
                let inner = self.place(&u.expr);
                quote!((*#inner))
            }
            Expr::Reference(r) => {
                let inner = self.reference(r);
                quote!((#inner))
            }
            Expr::Binary(_) | Expr::Unary(_) | Expr::Cast(_) | Expr::Range(_) => {
                let value = self.value(expr);
                quote!((#value))
            }
            other => self.value(other),
        }
    }

    fn reference(&mut self, r: &ExprReference) -> TokenStream {
        let place = self.place(&r.expr);
        match (self.local(&r.expr), r.mutability) {
            // It is a reference already.
            (Some((ident, Name::Tree | Name::State | Name::States)), Some(_)) => quote!(&mut *#ident),
            (Some((ident, Name::Tree | Name::State | Name::States)), None) => quote!(&*#ident),
            (_, mutability) => quote!(&#mutability #place),
        }
    }

    fn unary(&mut self, u: &ExprUnary) -> TokenStream {
        match u.op {
            UnOp::Deref(_) => {
                let inner = self.place(&u.expr);
                quote!(::core::clone::Clone::clone(&*#inner))
            }
            op => {
                let value = self.value(&u.expr);
                quote!(#op #value)
            }
        }
    }

    fn binary(&mut self, b: &ExprBinary) -> TokenStream {
        let (op, right) = (&b.op, self.value(&b.right));
        let assigns = matches!(
            op,
            BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::MulAssign(_) | BinOp::DivAssign(_)
        );
        let left = if assigns { self.target(&b.left) } else { self.value(&b.left) };
        quote!(#left #op #right)
    }

    fn assign(&mut self, a: &ExprAssign) -> TokenStream {
        let right = self.value(&a.right);
        let left = match &*a.left {
            Expr::Tuple(t) => {
                let targets = t.elems.iter().map(|e| self.target(e));
                quote!((#(#targets),*))
            }
            other => self.target(other),
        };
        quote!(#left = #right)
    }

    /// What is assigned to.
    fn target(&mut self, expr: &Expr) -> TokenStream {
        match (self.local(expr), expr) {
            (Some((ident, Name::State | Name::States | Name::Tree)), _) => quote!(*#ident),
            (None, Expr::Unary(u)) if matches!(u.op, UnOp::Deref(_)) => {
                let inner = self.place(&u.expr);
                quote!(*#inner)
            }
            (None, Expr::Infer(_)) => quote!(_),
            _ => self.place(expr),
        }
    }

    fn cast(&mut self, cast: &ExprCast) -> TokenStream {
        let (value, ty) = (self.value(&cast.expr), numbers::ty(&cast.ty));
        quote!(#value as #ty)
    }

    fn condition(&mut self, i: &ExprIf) -> TokenStream {
        let (cond, then) = (self.value(&i.cond), self.block(&i.then_branch));
        let other = i.else_branch.as_ref().map(|(_, e)| {
            let other = self.value(e);
            quote!(else #other)
        });
        quote!(if #cond #then #other)
    }

    fn choose(&mut self, m: &ExprMatch) -> TokenStream {
        let value = self.value(&m.expr);
        let arms: Vec<TokenStream> = m.arms.iter().map(|arm| self.scoped(|body| body.arm(arm))).collect();
        quote!(match #value { #(#arms)* })
    }

    fn arm(&mut self, arm: &Arm) -> TokenStream {
        self.bind(&arm.pat, Name::Value);
        let pat = match &arm.pat {
            Pat::Guard(guarded) => {
                let (pat, guard) = (&guarded.pat, self.value(&guarded.guard));
                quote!(#pat if #guard)
            }
            pat => pat.to_token_stream(),
        };
        let value = self.value(&arm.body);
        quote!(#pat => #value,)
    }

    fn for_loop(&mut self, f: &ExprForLoop) -> TokenStream {
        let pat = untyped(&f.pat);
        let over = match &*f.expr {
            // Layers are walked where they are.
            Expr::Field(_) | Expr::Index(_) => {
                let place = self.place(&f.expr);
                quote!(&#place)
            }
            other => self.value(other),
        };
        let (own, body) = self.scoped(|body| {
            body.bind_elements(pat, &f.expr);
            let own = if is_range(&f.expr) { Vec::new() } else { body.values_in(pat) };
            (own, body.block(&f.body))
        });
        // What is walked by reference is a value all the same.
        let own = own.iter().map(|name| quote!(let #name = ::kiln::rt::eager::Taken(#name).own();));
        match own.len() {
            0 => quote!(for #pat in #over #body),
            _ => quote!(for #pat in #over { use ::kiln::rt::eager::AsIs as _; #(#own)* #body }),
        }
    }

    /// Binds what a loop takes: elements that are changed where they lie are `&mut`, in pairs and numbered as well.
    fn bind_elements(&mut self, pat: &Pat, over: &Expr) {
        let Expr::MethodCall(call) = over else {
            let of = match over {
                Expr::Reference(r) if r.mutability.is_none() => Name::Value,
                Expr::Reference(r) => self.element(&r.expr),
                other if matches!(self.local(other), Some((_, Name::Tree | Name::States))) => {
                    self.element(other)
                }
                _ => Name::Value,
            };
            return self.bind(pat, of);
        };
        let pair = match pat {
            Pat::Tuple(p) if p.elems.len() == 2 => Some((&p.elems[0], &p.elems[1])),
            _ => None,
        };
        match (call.method.to_string().as_str(), pair, call.args.first()) {
            ("enumerate", Some((number, element)), None) => {
                self.bind(number, Name::Value);
                self.bind_elements(element, &call.receiver);
            }
            ("zip", Some((one, other)), Some(with)) => {
                self.bind_elements(one, &call.receiver);
                self.bind_elements(other, with);
            }
            ("iter_mut", ..) => {
                let of = self.element(&call.receiver);
                self.bind(pat, of);
            }
            ("rev" | "into_iter" | "skip" | "take" | "step_by", ..) => {
                self.bind_elements(pat, &call.receiver)
            }
            _ => self.bind(pat, Name::Value),
        }
    }

    /// What an element is that is changed where it lies.
    fn element(&self, of: &Expr) -> Name {
        match self.local(of) {
            Some((_, Name::States)) => Name::State,
            _ => Name::Tree,
        }
    }
}

/// Whether numbers are gone over.
fn is_range(over: &Expr) -> bool {
    match over {
        Expr::Range(_) => true,
        Expr::Paren(syn::ExprParen { expr, .. }) | Expr::Group(syn::ExprGroup { expr, .. }) => is_range(expr),
        Expr::MethodCall(call) => is_range(&call.receiver),
        _ => false,
    }
}
