//! Rust source told apart into code and comments, so that a rule can look at one and not the other.
//!
//! This is a scanner for comments and literals, not a parser: it knows where each ends, which is all that
//! the rules need. Both views keep every line where it was.

/// The two views of a source file.
///
/// In `code` all comments and literals are blanked out, in `comments` all but comments. Line
/// breaks stay in both, and so does the length in bytes.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) code: String,
    pub(crate) comments: String,
}

/// What a byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

impl Source {
    /// Scan a file.
    pub(crate) fn scan(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut parts = vec![Part::Code; bytes.len()];
        let mut at = 0;
        while at < bytes.len() {
            let (part, end) = next_part(bytes, at);
            parts[at..end].fill(part);
            at = end;
        }
        Self {
            code: view(bytes, &parts, Part::Code),
            comments: view(bytes, &parts, Part::Comment),
        }
    }
}

/// The text with everything of another part blanked out.
fn view(bytes: &[u8], parts: &[Part], wanted: Part) -> String {
    let kept = bytes.iter().zip(parts).map(|(&byte, &part)| {
        if part == wanted || byte == b'\n' {
            byte
        } else {
            b' '
        }
    });
    String::from_utf8_lossy(&kept.collect::<Vec<u8>>()).into_owned()
}

/// What begins at `at`, and where it ends.
fn next_part(bytes: &[u8], at: usize) -> (Part, usize) {
    let rest = &bytes[at..];
    let word_before = at > 0 && is_word(bytes[at - 1]);
    match rest {
        [b'/', b'/', ..] => (
            Part::Comment,
            at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()),
        ),
        [b'/', b'*', ..] => (Part::Comment, at + block_comment(rest)),
        [b'"', ..] => (Part::Literal, at + quoted(rest, b'"')),
        [b'\'', ..] => {
            character(rest).map_or((Part::Code, at + 1), |length| (Part::Literal, at + length))
        }
        [b'b' | b'c' | b'r', ..] if !word_before => match raw_string(rest) {
            Some(length) => (Part::Literal, at + length),
            None => (Part::Code, at + 1),
        },
        _ => (Part::Code, at + 1),
    }
}

/// Whether the byte can be part of an identifier.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The length of a block comment, comments inside it included.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a literal that begins with this quote, honouring escapes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal, or `None` if the quote begins a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(rest, b'\''));
    }
    // One character, of up to four bytes, and the closing quote.
    let text = std::str::from_utf8(&rest[1..rest.len().min(8)]);
    let text = text
        .or_else(|error| std::str::from_utf8(&rest[1..=error.valid_up_to()]))
        .ok()?;
    let first = text.chars().next()?.len_utf8();
    (rest.get(1 + first) == Some(&b'\'')).then_some(first + 2)
}

/// The length of a raw string, with its prefix and hashes; `None` if none begins here.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = if rest[0] == b'r' { 1 } else { 2 };
    if rest.get(prefix - 1) != Some(&b'r') {
        return None;
    }
    let hashes = rest[prefix..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let mut closing = vec![b'"'];
    closing.extend(std::iter::repeat_n(b'#', hashes));
    let inside = &rest[open + 1..];
    let end = inside
        .windows(closing.len())
        .position(|window| window == closing);
    Some(end.map_or(rest.len(), |end| open + 1 + end + closing.len()))
}

/// Where a word stands by itself in the text, as byte offsets.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let after = bytes.get(at + word.len());
            (at == 0 || !is_word(bytes[at - 1])) && !after.is_some_and(|&byte| is_word(byte))
        })
}

/// The line of a byte offset, counted from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let source = Source::scan(text);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.comments.len(), text.len());
        source.code
    }

    #[test]
    fn comments_are_not_code() {
        assert_eq!(code("a // b\nc"), "a     \nc");
        assert_eq!(code("a /* b /* c */ d */ e"), "a                   e");
        assert_eq!(Source::scan("a // b\nc").comments, "  // b\n ");
    }

    #[test]
    fn literals_are_neither() {
        assert_eq!(code(r#"f("a // \" b", 1)"#), r"f(           , 1)");
        assert_eq!(code(r##"f(r#"a " b"#, br"\")"##), "f(          ,      )");
        let source = Source::scan("f(\"// not a comment\")");
        assert_eq!(source.comments.trim(), "");
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        assert_eq!(
            code("&'a str; '\"'; b'\\''; 'é'; c"),
            "&'a str;    ; b    ;     ; c"
        );
        assert_eq!(code("fn f<'a>(x: &'a u8) {}"), "fn f<'a>(x: &'a u8) {}");
    }

    #[test]
    fn a_raw_identifier_and_a_name_that_ends_in_r_are_code() {
        assert_eq!(code("r#type; bar\"x\""), "r#type; bar   ");
    }

    #[test]
    fn what_never_ends_ends_with_the_file() {
        assert_eq!(code("a \"b"), "a   ");
        assert_eq!(code("a \"b\\"), "a    ");
        assert_eq!(code("a /* b"), "a     ");
        assert_eq!(code("a r#\"b\""), "a      ");
    }

    #[test]
    fn a_word_stands_by_itself() {
        let text = "unsafe_code unsafe\n{ r_unsafe (unsafe) }";
        let lines: Vec<usize> = words(text, "unsafe").map(|at| line_of(text, at)).collect();
        assert_eq!(lines, [1, 2]);
    }
}
