//! Random tokens never panic the parsers, and what they emit parses.

mod common;

use kiln_compiler::Errors;
use kiln_compiler::syntax::model;
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
    let emitted = kiln_compiler::params::expand(attr.clone(), item.clone());
    if let Ok(item) = syn::parse2::<syn::Item>(item) {
        syn::parse2::<syn::File>(emitted).expect("what is emitted parses");
        let errors = Errors::new();
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
