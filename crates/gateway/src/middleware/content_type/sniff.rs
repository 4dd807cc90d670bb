//! The media type of some content, by the table of the MIME Sniffing Standard (sections 6 and 7), as
//! far as Go's `http.DetectContentType` has it.

/// So many bytes are looked at.
const LOOKED_AT: usize = 512;

/// The bytes that content begins with, after spaces and in either case, if a space or `>` follows.
const TAGS: [&str; 17] = [
    "<!DOCTYPE HTML",
    "<HTML",
    "<HEAD",
    "<SCRIPT",
    "<IFRAME",
    "<H1",
    "<DIV",
    "<FONT",
    "<TABLE",
    "<A",
    "<STYLE",
    "<TITLE",
    "<B",
    "<BODY",
    "<BR",
    "<P",
    "<!--",
];

/// What content begins with, and its type.
const BEGINNINGS: [(&[u8], &str); 21] = [
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x00\x00\x02\x00", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x89PNG\x0D\x0A\x1A\x0A", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"MThd\x00\x00\x00\x06", "audio/midi"),
    (b"\x1A\x45\xDF\xA3", "video/webm"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x1F\x8B\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x00asm", "application/wasm"),
];

/// What content begins with, what stands at its ninth byte, and its type.
const CONTAINERS: [(&[u8], &[u8], &str); 5] = [
    (b"RIFF", b"WEBPVP", "image/webp"),
    (b"FORM", b"AIFF", "audio/aiff"),
    (b"RIFF", b"AVI ", "video/avi"),
    (b"RIFF", b"WAVE", "audio/wave"),
    (b"Rar!", b"", "application/x-rar-compressed"),
];

/// The type of content that begins so.
pub(super) fn media_type(content: &[u8]) -> &'static str {
    let content = content.get(..LOOKED_AT).unwrap_or(content);
    let spaces = |byte: &&u8| b"\t\n\x0C\r ".contains(byte);
    let skipped = content.iter().take_while(spaces).count();
    let text = content.get(skipped..).unwrap_or_default();
    if TAGS.iter().any(|tag| is_tag(text, tag.as_bytes())) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    for (mark, media_type) in [
        (&b"\xFE\xFF"[..], "text/plain; charset=utf-16be"),
        (b"\xFF\xFE", "text/plain; charset=utf-16le"),
        (b"\xEF\xBB\xBF", "text/plain; charset=utf-8"),
    ] {
        if content.starts_with(mark) && content.len() >= 4 {
            return media_type;
        }
    }
    let beginning = BEGINNINGS.iter();
    let mut beginning = beginning.filter(|(mark, _)| content.starts_with(mark));
    if let Some((_, media_type)) = beginning.next() {
        return media_type;
    }
    binary(content)
}

fn binary(content: &[u8]) -> &'static str {
    let rar = [&b"Rar!\x1A\x07\x00"[..], b"Rar!\x1A\x07\x01\x00"];
    let inside = content.get(8..).unwrap_or_default();
    for (begins, holds, media_type) in CONTAINERS {
        let is_it = match holds {
            b"" => rar.iter().any(|mark| content.starts_with(mark)),
            holds => content.starts_with(begins) && inside.starts_with(holds),
        };
        if is_it {
            return media_type;
        }
    }
    // An old kind of font has nothing but its name, deep inside.
    if content.get(34..36) == Some(b"LP") {
        return "application/vnd.ms-fontobject";
    }
    if is_mp4(content) {
        return "video/mp4";
    }
    let is_control = |byte: &u8| matches!(byte, 0x00..=0x08 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F);
    match content.iter().any(is_control) {
        true => "application/octet-stream",
        false => "text/plain; charset=utf-8",
    }
}

fn is_tag(text: &[u8], tag: &[u8]) -> bool {
    let Some((begins, rest)) = text.split_at_checked(tag.len()) else {
        return false;
    };
    begins.eq_ignore_ascii_case(tag) && matches!(rest.first(), Some(b' ' | b'>'))
}

/// A box `ftyp` at the beginning with a brand of MP4 in it (section 6.2.1).
fn is_mp4(content: &[u8]) -> bool {
    let Some(length) = content
        .first_chunk()
        .map(|bytes| u32::from_be_bytes(*bytes))
    else {
        return false;
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if content.len() < length || length % 4 != 0 || content.get(4..8) != Some(b"ftyp") {
        return false;
    }
    let brands = content.get(8..length).unwrap_or_default().chunks(4);
    // The second one is a version.
    let mut brands = brands.enumerate().filter(|(at, _)| *at != 1);
    brands.any(|(_, brand)| brand.starts_with(b"mp4"))
}
