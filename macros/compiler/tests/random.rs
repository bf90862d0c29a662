//! Random tokens never panic the parsers, and what they emit parses.

mod common;
#[path = "common/library.rs"]
mod library;

use kiln_compiler::Errors;
use kiln_compiler::syntax::model;
use kiln_compiler::trace::{trace, transform};
use proc_macro2::TokenStream;

const PIECES: [&str; 48] = [
    "Tensor",
    "<",
    ">",
    "<",
    ">",
    ",",
    ",",
    ":",
    ":",
    "N",
    "M",
    "x",
    "net",
    "f32",
    "i64",
    "bool",
    "usize",
    "784",
    "99999999999999",
    "{ N + 1 }",
    "{ 2 * N * M }",
    "{ N / 2 }",
    "(",
    ")",
    "&",
    "mut",
    "&mut",
    "-",
    "+",
    "*",
    "=",
    "const",
    "fn",
    "struct",
    "pub",
    "where",
    "Self",
    "self",
    "'a",
    "->",
    "[",
    "]",
    ";",
    "#[init(zeros())]",
    "#[buffer]",
    "forward",
    "<=",
    "Tensor<N, 3>",
];

/// What may stand for a type or a dim, sound or not: texts made of these are mostly items.
const ATOMS: [&str; 20] = [
    "N",
    "M",
    "784",
    "3",
    "f32",
    "i64",
    "f23",
    "bool",
    "usize",
    "Net",
    "{ N + 1 }",
    "{ N / 2 }",
    "{ 3 - 4 }",
    "Tensor < N >",
    "Tensor",
    "( Tensor < > , f32 )",
    "& Net",
    "[ Net ; 3 ]",
    "Vec < Net >",
    "n",
];

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pieces(&mut self, most: usize) -> String {
        (0..self.below(most + 1)).map(|_| PIECES[self.below(PIECES.len())]).collect::<Vec<_>>().join(" ")
    }

    /// A sound text in which some pieces were replaced, left out or put in.
    fn disturbed(&mut self, text: &str) -> String {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_string).collect();
        for _ in 0..=self.below(3) {
            let at = self.below(words.len());
            words[at] = self.pieces(2);
        }
        words.join(" ")
    }

    /// A sound text in which types and dims were exchanged for others.
    fn retyped(&mut self, text: &str) -> String {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        for word in &mut words {
            if ATOMS.contains(word) && self.below(4) == 0 {
                *word = ATOMS[self.below(ATOMS.len())];
            }
        }
        words.join(" ")
    }
}

const PARAMS: &str = "pub struct Net < const N : usize , const M : usize > { #[init(zeros())] pub a : Tensor < N , \
    { N + M } > , #[buffer] b : Tensor < f32 , 3 > , c : [ Block < N > ; 12 ] , d : Linear < 3 , 4 > , }";
const MODEL: &str = "pub fn f < const N : usize , const M : usize > ( net : & Net , opt : &mut Adam < Net > , \
    x : Tensor < N , 784 > , y : Tensor < i64 , { N * 2 } > , s : & mut Tensor < M > , train : bool ) \
    -> ( Tensor < N > , Tensor < > ) { x . relu ( ) }";

fn parse_all(attr: &str, item: &str) -> bool {
    let (Ok(attr), Ok(item)) = (attr.parse::<TokenStream>(), item.parse::<TokenStream>()) else {
        return false;
    };
    let emitted = kiln_compiler::params::expand(attr.clone(), item.clone(), None);
    if let Ok(item) = syn::parse2::<syn::Item>(item) {
        syn::parse2::<syn::File>(emitted).expect("what is emitted parses");
        let errors = Errors::new();
        let expanded = kiln_compiler::model::expand(attr.clone(), quote::quote!(#item), None);
        syn::parse2::<syn::File>(expanded).expect("what is emitted parses");
        let model = model::model(&errors, attr, &item);
        let faults = errors.finish();
        assert!(model.is_some() || !faults.is_empty(), "no model and no fault");
        return true;
    }
    false
}

#[test]
fn random_tokens_never_panic() {
    assert!(parse_all("", PARAMS) && parse_all("", MODEL));
    let mut rng = Rng(7);
    let mut items = 0;
    for round in 0..10_000 {
        let attr = rng.pieces(4);
        let item = match round % 5 {
            0 => rng.pieces(20),
            1 => rng.disturbed(PARAMS),
            2 => rng.disturbed(MODEL),
            3 => rng.retyped(PARAMS),
            _ => rng.retyped(MODEL),
        };
        items += usize::from(parse_all(&attr, &item));
    }
    assert!(items > 1_000, "too few of the texts are items: {items}");
}

const BODIES: [&str; 6] = [
    "let h = net . fc . forward ( x ) . relu ( ) ; let mut s = h * 2.0 + x . sum_dim ( 1 ) . unsqueeze ( 1 ) ; \
     for ( i , b ) in net . blocks . iter ( ) . enumerate ( ) { s = b . forward ( s ) + ( i as f32 ) ; s += h ; } \
     if 3 > 2 { s } else { h }",
    "let ( l , g ) = value_and_grad ( loss ) ( net , x ) ; opt . step ( net , g . clip_norm ( 1.0 ) ) ; x * l",
    "let d = grad ( | a | ( a * a * x ) . sum ( ) ) ( x ) ; let [ p , q ] = [ d , x ] ; * m += p . mean ( ) ; \
     cat ( & [ p , q ] , 0 ) . narrow ( 0 , 0 , N ) . reshape ( [ N , - 1 ] )",
    "let f = | a , b | a . matmul ( b . t ( ) ) ; let t = ( f ( x , x ) , x . max_dim ( 1 ) ) ; net . fc . bias = \
     net . fc . bias * 0.5 ; softmax ( t . 0 ) ; x / ( N as f32 ) . sqrt ( ) - ( t . 1 ) . 0 . unsqueeze ( - 1 )",
    "let t = [ x , x * 2.0 ] . map ( | a | a + m ) ; let ( mut a , mut b ) = ( t [ 0 ] , t [ 1 ] ) ; ( a , b ) = ( b , a ) ; \
     let s = ( 0 .. 3 ) . rev ( ) . fold ( a , | h , i | h + ( i as f32 ) * b ) ; const K : usize = 2 ; \
     let v = [ s ; K ] ; if v . len ( ) == K && x . size ( 1 ) >= 3 { v [ 1 ] } else { return a ; }",
    "let step = | net , x | loss ( net , x ) ; let ( v , g ) = value_and_grad ( step ) ( net , x ) ; let n = g . norm ( ) ; \
     net . blocks [ 0 ] . weight = net . blocks [ 0 ] . weight - 0.1 * g . blocks [ 0 ] . weight ; opt . lr = opt . lr * 0.5 ; \
     let ( y , d ) = vjp ( | a | a . tanh ( ) ) ( x , x ) ; for b in & mut net . blocks { b . bias += n ; } y * v + d",
];

const OPERATORS: [&str; 8] = ["+", "-", "*", "/", "%", "==", "<", "+="];

const WORDS: [&str; 40] = [
    "x",
    "net",
    "opt",
    "m",
    "N",
    "h",
    "s",
    "l",
    "g",
    "fc",
    "blocks",
    "forward",
    "relu",
    "sum",
    "softmax",
    "reshape",
    "t",
    "grad",
    "vjp",
    "loss",
    "0",
    "1",
    "-1",
    "3",
    "2.5",
    "99999999999999999999",
    "281474976710655",
    "H",
    "[x, x]",
    "(x, 1)",
    "unsqueeze",
    "max_dim",
    "split",
    "&mut net",
    "*m",
    "f64",
    "None",
    "true",
    "return",
    "|a| a",
];

/// Traces a model of that body, and all its transforms.
fn trace_body(body: &str) -> bool {
    let source = format!(
        "#[params] struct Net {{ fc: Linear<4, 4>, blocks: [Linear<4, 4>; 2] }}
         #[model] fn loss<const N: usize>(net: &Net, x: Tensor<N, 4>) -> Tensor<> {{ net.fc.forward(x).sum() }}
         #[model] fn f<const N: usize>(net: &mut Net, opt: &mut Adam<Net>, m: &mut Tensor<>, x: Tensor<N, 4>)
         -> Tensor<N, 4> {{ {body} }}"
    );
    if syn::parse_str::<syn::File>(&source).is_err() {
        return false;
    }
    let errors = Errors::new();
    let library = library::library(&source, &errors);
    let traced = trace(&library, "f", &errors);
    let faults = errors.finish();
    assert!(traced.is_some() || !faults.is_empty(), "neither a graph nor a fault: {body}");
    if let Some(traced) = traced {
        kiln_ir::verify::verify(&traced.func).unwrap_or_else(|e| panic!("{e}: {body}"));
        let derived = transform::vjp(&traced).unwrap_or_else(|e| panic!("{e}: {body}"));
        kiln_ir::verify::verify(&derived.func).unwrap_or_else(|e| panic!("{e}: {body}"));
    }
    true
}

/// Expands a model of that body as the attribute does, to the last kernel. What comes out parses, or this panics.
fn expand_body(body: &str) {
    let source = format!(
        "#[params(forward = linear)] struct Linear<const I: usize, const O: usize>
         {{ weight: Tensor<O, I>, bias: Tensor<O> }}
         #[model(inline)] fn linear<const I: usize, const O: usize>(l: &Linear<I, O>, x: Tensor) -> Tensor
         {{ x.linear(l.weight, Some(l.bias)) }}
         #[params] struct Net {{ fc: Linear<4, 4>, blocks: [Linear<4, 4>; 2] }}
         #[model] fn loss<const N: usize>(net: &Net, x: Tensor<N, 4>) -> Tensor<> {{ net.fc.forward(x).sum() }}
         #[model] fn g<const N: usize>(net: &Net, x: Tensor<N, 4>) -> Tensor<N, 4> {{ {body} }}
         #[model] fn f<const N: usize>(net: &mut Net, opt: &mut Adam<Net>, m: &mut Tensor<>, x: Tensor<N, 4>)
         -> Tensor<N, 4> {{ {body} }}"
    );
    if syn::parse_str::<syn::File>(&source).is_ok() {
        common::chain::expand_all(&source);
    }
}

#[test]
fn random_bodies_never_panic() {
    for body in BODIES {
        assert!(trace_body(body), "{body}");
        expand_body(body);
    }
    let mut rng = Rng(std::process::id() as u64 * u64::from(std::env::var_os("KILN_FUZZ").is_some()) + 11);
    let mut traced = 0;
    // A longer search: `KILN_FUZZ=100000`.
    let rounds = std::env::var("KILN_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    for round in 0..rounds {
        let mut words: Vec<&str> = BODIES[round % BODIES.len()].split_whitespace().collect();
        for _ in 0..=rng.below(3) {
            let at = rng.below(words.len());
            let other = rng.below(words.len());
            let word = words[at].starts_with(|c: char| c.is_alphanumeric() || c == '-');
            match rng.below(12) {
                0 => drop(words.remove(at)),
                1 => words.swap(at, other),
                2 | 3 if OPERATORS.contains(&words[at]) => words[at] = OPERATORS[rng.below(OPERATORS.len())],
                _ if word => words[at] = WORDS[rng.below(WORDS.len())],
                _ => {}
            }
        }
        let body = words.join(" ");
        traced += usize::from(trace_body(&body));
        if round % 64 == 0 {
            expand_body(&body);
        }
    }
    assert!(traced > 500, "too few of the texts are bodies: {traced}");
}
