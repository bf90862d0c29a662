//! `use` trees, flat: the path and the name of each import.

/// One name that a `use` brings in, or all of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The path, from its first segment on.
    pub path: Vec<String>,
    /// The name here; `None` for `*`.
    pub name: Option<String>,
}

/// The imports in the words between `use` and `;`.
pub fn read(words: &[&str]) -> Vec<Use> {
    let mut out = Vec::new();
    tree(&mut words.iter().copied().filter(|w| *w != ":").peekable(), &[], &mut out);
    out
}

fn tree<'a>(
    words: &mut std::iter::Peekable<impl Iterator<Item = &'a str> + Clone>,
    before: &[String],
    out: &mut Vec<Use>,
) {
    let mut path = before.to_vec();
    loop {
        match words.peek().copied() {
            Some("{") => {
                words.next();
                while words.peek().is_some_and(|w| *w != "}") {
                    tree(words, &path, out);
                    if words.peek() == Some(&",") {
                        words.next();
                    }
                }
                words.next();
                return;
            }
            Some("*") => {
                words.next();
                out.push(Use { path, name: None });
                return;
            }
            Some("as") => {
                words.next();
                let name = words.next().unwrap_or("_").trim_start_matches("r#").to_string();
                path.truncate(
                    path.len() - usize::from(path.len() > 1 && path.ends_with(&["self".to_string()])),
                );
                out.push(Use { path, name: Some(name) });
                return;
            }
            Some("}" | ",") | None => {
                if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
                    path.pop();
                }
                let name = path.last().cloned();
                out.extend(name.map(|name| Use { path, name: Some(name) }));
                return;
            }
            Some(word) => {
                path.push(word.trim_start_matches("r#").to_string());
                words.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_flat() {
        let words = ["a", ":", ":", "{", "b", ",", "c", "as", "d", ",", "e", ":", ":", "*", ",", "self", "}"];
        let shown: Vec<String> = read(&words)
            .iter()
            .map(|u| format!("{} {}", u.path.join("::"), u.name.as_deref().unwrap_or("*")))
            .collect();
        assert_eq!(shown, ["a::b b", "a::c d", "a::e *", "a a"]);
    }
}
