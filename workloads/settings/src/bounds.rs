//! Bounds on a file's text, checked before the YAML parser sees it.
//!
//! The parser's time grows with the square of the depth of brackets and of block markers in a line (`? ? ? …`): a megabyte
//! of `[` would keep it busy for an hour, and no change, such as a revoked key, would be noticed meanwhile. No real file
//! comes near these bounds.

/// The deepest that brackets may be nested; counted without regard to quotes and comments.
const DEEPEST: usize = 64;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 64 * 1024;

/// Refuses text that the parser might not get to the end of in good time, naming the line.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for (at, line) in text.split('\n').enumerate() {
        if line.len() > LONGEST_LINE {
            return Err(format!("line {} is longer than {LONGEST_LINE} bytes; break it up", at + 1));
        }
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Err(format!(
                    "line {} opens more than {DEEPEST} brackets within each other; is one not closed?",
                    at + 1
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_length_are_bounded_and_the_line_is_named() {
        assert_eq!(check(&"[".repeat(DEEPEST)), Ok(()));
        assert!(check(&format!("\n{}", "[".repeat(DEEPEST + 1))).unwrap_err().starts_with("line 2 opens"));
        assert_eq!(check(&"- {a: [b]}\n".repeat(10_000)), Ok(()));
        assert_eq!(check(&"x".repeat(LONGEST_LINE)), Ok(()));
        assert!(
            check(&format!("\n\n{}", "? ".repeat(LONGEST_LINE))).unwrap_err().starts_with("line 3 is longer")
        );
    }
}
