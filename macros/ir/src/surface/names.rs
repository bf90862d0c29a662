//! The search for the name that was meant.

use super::{Form, entries};

/// What other libraries call it, and what it is here.
const ELSEWHERE: [(&str, &str); 23] = [
    ("ln", "log"),
    ("powf", "pow"),
    ("powi", "pow"),
    ("dot", "matmul"),
    ("mm", "matmul"),
    ("bmm", "matmul"),
    ("concat", "cat"),
    ("concatenate", "cat"),
    ("swish", "silu"),
    ("swap_axes", "transpose"),
    ("swapaxes", "transpose"),
    ("broadcast_to", "expand"),
    ("broadcast_as", "expand"),
    ("to_dtype", "to"),
    ("astype", "to"),
    ("clip", "clamp"),
    ("where", "where_cond"),
    ("recip", "reciprocal"),
    ("sqr", "square"),
    ("exp_m1", "expm1"),
    ("ln_1p", "log1p"),
    ("sum_all", "sum"),
    ("mean_all", "mean"),
];

/// The known name that is likely meant: what another library calls so, or else a third of the letters may be
/// wrong; case counts nothing.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).min(3);
    let scored = known.into_iter().map(|k| (distance(&name.to_lowercase(), &k.to_lowercase()), k));
    scored.filter(|(d, _)| *d <= limit).min_by_key(|(d, _)| *d).map(|(_, k)| k)
}

/// The method that was likely meant.
pub fn nearest_method(name: &str) -> Option<&'static str> {
    meant(name, Form::Function)
}

/// The function that was likely meant.
pub fn nearest_function(name: &str) -> Option<&'static str> {
    meant(name, Form::Method)
}

fn meant(name: &str, not: Form) -> Option<&'static str> {
    let known = || entries().filter(move |e| e.form != not).map(|e| e.name);
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == name).map(|(_, here)| *here);
    elsewhere.filter(|here| known().any(|k| k == *here)).or_else(|| nearest(name, known()))
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut d = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                d[i][j] = i + j;
                continue;
            }
            let substituted = d[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            d[i][j] = substituted.min(d[i - 1][j] + 1).min(d[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d[i][j] = d[i][j].min(d[i - 2][j - 2] + 1);
            }
        }
    }
    d[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("f23", ["f64", "f32"]), Some("f32"));
        assert_eq!(nearest_method("rellu"), Some("relu"));
        assert_eq!(nearest_method("ln"), Some("log"));
        assert_eq!(nearest_method("stack"), None);
        assert_eq!(nearest_function("corss_entropy"), Some("cross_entropy"));
        assert_eq!(nearest_method("banana"), None);
    }
}
