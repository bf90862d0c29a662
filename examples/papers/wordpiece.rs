//! Text as word pieces: BERT's uncased tokenizer (Devlin et al., 2018; Schuster and Nakajima, 2012).
//!
//! Control characters fall away, Han characters stand by themselves, accents are stripped and letters lowered; words end at spaces and
//! around punctuation; a word is cut into the longest pieces of the vocabulary, from the left, those behind the first bearing `##`.

use kiln_examples::Result;
use std::collections::HashMap;
use std::path::Path;
use unicode_general_category::{GeneralCategory as Category, get_general_category};
use unicode_normalization::UnicodeNormalization;

/// Characters of the longest word that is cut: longer ones are unknown.
const LONGEST: usize = 100;

/// The pieces by their numbers, and those that mean something.
pub struct Vocabulary {
    ids: HashMap<String, i64>,
    unknown: i64,
    begin: i64,
    end: i64,
}

impl Vocabulary {
    /// Of a file that has a piece a line, at most `most`.
    pub fn read(path: &Path, most: usize) -> Result<Vocabulary> {
        let fault = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| fault(&error))?;
        match text.lines().count() {
            lines if lines > most => {
                Err(fault(&format_args!("{lines} pieces, of which the net knows {most}")).into())
            }
            _ => Ok(Vocabulary::new(text.lines()).map_err(|error| fault(&error))?),
        }
    }

    /// Of pieces in their order, among which must be `[UNK]`, `[CLS]` and `[SEP]`.
    pub fn new<'a>(pieces: impl Iterator<Item = &'a str>) -> Result<Vocabulary, String> {
        let ids: HashMap<String, i64> = pieces.zip(0..).map(|(piece, id)| (piece.to_string(), id)).collect();
        let id = |piece: &str| {
            ids.get(piece).copied().ok_or_else(|| format!("no piece {piece}, which BERT's vocabularies have"))
        };
        let (unknown, begin, end) = (id("[UNK]")?, id("[CLS]")?, id("[SEP]")?);
        Ok(Vocabulary { ids, unknown, begin, end })
    }

    /// The pieces of a text between a begin and an end, at most so many in all.
    pub fn encode(&self, text: &str, most: usize) -> Vec<i64> {
        let mut ids = vec![self.begin];
        for word in words(text) {
            self.cut(&word, &mut ids);
        }
        ids.truncate(most - 1);
        ids.push(self.end);
        ids
    }

    /// The longest pieces from the left; a word that can't be made of any is unknown as a whole.
    fn cut(&self, word: &str, ids: &mut Vec<i64>) {
        let (begun, mut rest, mut mark) = (ids.len(), word, "");
        if word.chars().count() > LONGEST {
            return ids.push(self.unknown);
        }
        while !rest.is_empty() {
            let ends = rest.char_indices().map(|(i, c)| i + c.len_utf8()).rev();
            let found = ends
                .into_iter()
                .find_map(|end| self.ids.get(&format!("{mark}{}", &rest[..end])).map(|id| (end, *id)));
            let Some((end, id)) = found else {
                ids.truncate(begun);
                return ids.push(self.unknown);
            };
            ids.push(id);
            (rest, mark) = (&rest[end..], "##");
        }
    }
}

/// The words and signs of a text, lowered and without accents.
pub fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let clean = text.chars().filter(|c| !is_dropped(*c));
    for c in clean.flat_map(apart).nfd().filter(|c| get_general_category(*c) != Category::NonspacingMark) {
        for c in c.to_lowercase() {
            let open = words.last_mut().expect("there is always one");
            match c {
                c if c.is_whitespace() => words.push(String::new()),
                c if is_punctuation(c) => words.extend([c.to_string(), String::new()]),
                c => open.push(c),
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What is no part of a text: controls, formats, private uses, what couldn't be decoded.
fn is_dropped(c: char) -> bool {
    let control = matches!(
        get_general_category(c),
        Category::Control | Category::Format | Category::PrivateUse | Category::Surrogate
    );
    c == '\u{fffd}' || control && !matches!(c, '\t' | '\n' | '\r')
}

/// A Han character between spaces.
fn apart(c: char) -> impl Iterator<Item = char> {
    let space = is_han(c).then_some(' ');
    space.into_iter().chain([c]).chain(space)
}

/// The blocks that BERT takes for Han.
fn is_han(c: char) -> bool {
    matches!(u32::from(c),
        0x4e00..=0x9fff | 0x3400..=0x4dbf | 0x20000..=0x2a6df | 0x2a700..=0x2b73f | 0x2b740..=0x2b81f | 0x2b820..=0x2ceaf
        | 0xf900..=0xfaff | 0x2f800..=0x2fa1f)
}

/// Unicode's punctuation, and of ASCII all that is neither letter nor digit.
fn is_punctuation(c: char) -> bool {
    use Category::*;
    c.is_ascii_punctuation()
        || matches!(
            get_general_category(c),
            ConnectorPunctuation
                | DashPunctuation
                | OpenPunctuation
                | ClosePunctuation
                | InitialPunctuation
                | FinalPunctuation
                | OtherPunctuation
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lowered_stripped_and_parted() {
        assert_eq!(words("Naïve  Café—déjà\tvu?"), ["naive", "cafe", "—", "deja", "vu", "?"]);
        assert_eq!(words("日本x語"), ["日", "本", "x", "語"]);
        assert_eq!(words("so\u{ad}ft\u{200b}ly \u{0}\u{fffd}a$b"), ["softly", "a", "$", "b"]);
        assert!(words(" \n\u{301}").is_empty());
    }

    #[test]
    fn the_longest_pieces_are_taken() {
        let pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "##a", "unaffected", "!"];
        let vocabulary = Vocabulary::new(pieces.into_iter()).expect("all that is asked");
        assert_eq!(vocabulary.encode("Unaffable!", 9), [2, 4, 5, 6, 9, 3]);
        assert_eq!(vocabulary.encode("unaffected una unb", 9), [2, 8, 4, 7, 1, 3]);
        assert_eq!(vocabulary.encode("un un un un", 4), [2, 4, 4, 3]);
        assert_eq!(vocabulary.encode("", 4), [2, 3]);
        assert_eq!(vocabulary.encode(&"un".repeat(51), 4), [2, 1, 3]);
    }

    #[test]
    fn a_file_of_something_else_is_told() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = |most| Vocabulary::read(&here, most).err().expect("no vocabulary").to_string();
        assert!(error(1000).ends_with("Cargo.toml: no piece [UNK], which BERT's vocabularies have"));
        assert!(error(3).ends_with("pieces, of which the net knows 3"));
    }
}
