//! Content of script and meta elements, where escaping for HTML does not help, and data that a page carries.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Error;

/// JSON for a script element. It has no `<`, so it cannot end the element or begin a comment.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Error> {
    let json = serde_json::to_string(value).map_err(|error| Error::Page(format!("the data: {error}")))?;
    // In JSON a `<` can only be inside a string, where its escape means the same.
    Ok(json
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

/// The address of a file that the page carries itself: compressed as by gzip, so that a link saves it without a script. It has no
/// character that ends an attribute.
pub(crate) fn link(content: &[u8]) -> Result<String, Error> {
    // No name and no time, so that the same content always gives the same page.
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    let done = gzip.write_all(content).and_then(|()| gzip.finish());
    let zipped = done.map_err(|error| Error::Page(format!("the data: {error}")))?;
    Ok(format!("data:application/gzip;base64,{}", base64(&zipped)))
}

/// A content security policy that allows this style sheet and this script, by their hashes, and nothing else.
pub(crate) fn policy(css: &str, script: &str) -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(css),
        hash(script)
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_rfc_4648_gives_it() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn nothing_ends_the_script_element() {
        let text = json(&"</script><!--<script>\u{2028}").unwrap();
        assert!(!text.contains('<') && !text.contains('\u{2028}'));
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "</script><!--<script>\u{2028}");
    }
}
