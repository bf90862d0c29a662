//! Letters of 3 × 5 pixels, for labels in pictures.

/// Columns of a letter.
pub const WIDTH: usize = 3;
/// Lines of a letter.
pub const HEIGHT: usize = 5;

/// A line a digit from the top, a column a bit from the left. Small letters are large ones; what isn't known is a box.
pub fn glyph(letter: char) -> u16 {
    match letter.to_ascii_uppercase() {
        ' ' => 0,
        '%' => 0o51245,
        '-' => 0o00700,
        '.' => 0o00002,
        c @ '0'..='9' => DIGITS[c as usize - '0' as usize],
        c @ 'A'..='Z' => LETTERS[c as usize - 'A' as usize],
        _ => 0o77777,
    }
}

const DIGITS: [u16; 10] =
    [0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71111, 0o75757, 0o75717];

const LETTERS: [u16; 26] = [
    0o25755, 0o65656, 0o34443, 0o65556, 0o74647, 0o74644, 0o34553, 0o55755, 0o72227, 0o11152, 0o55655,
    0o44447, 0o57755, 0o65555, 0o25552, 0o65644, 0o25563, 0o65655, 0o34216, 0o72222, 0o55557, 0o55552,
    0o55775, 0o55255, 0o55222, 0o71247,
];

/// Whether a pixel of a letter is lit.
pub fn lit(letter: char, x: usize, y: usize) -> bool {
    x < WIDTH && y < HEIGHT && glyph(letter) >> (WIDTH * (HEIGHT - 1 - y) + WIDTH - 1 - x) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_look_like_themselves() {
        let drawn = |letter: char| -> Vec<String> {
            (0..HEIGHT)
                .map(|y| (0..WIDTH).map(|x| if lit(letter, x, y) { '#' } else { '.' }).collect())
                .collect()
        };
        assert_eq!(drawn('7'), ["###", "..#", "..#", "..#", "..#"]);
        assert_eq!(drawn('l'), ["#..", "#..", "#..", "#..", "###"]);
        let all: std::collections::BTreeSet<u16> = ('0'..='9').chain('a'..='z').map(glyph).collect();
        assert!(all.len() >= 34, "o and 0, s and 5 may look alike: {}", all.len());
    }
}
