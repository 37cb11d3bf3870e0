//! A poster as one SVG file: its pictures are inside, its words are drawn by the browser that opens it.

use super::layout::{Picture, Poster, Text};
use crate::door::escape_html;

/// The whole file.
pub fn svg(poster: &Poster) -> String {
    let pictures = poster.pictures.iter().enumerate().map(|(n, picture)| image(n, picture));
    let body: String = pictures.chain(poster.texts.iter().map(text)).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"-apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif\">\
         <rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>{body}</svg>",
        poster.background,
        w = poster.width,
        h = poster.height,
    )
}

fn image(n: usize, picture: &Picture) -> String {
    let Picture { url, x, y, width, height, radius } = picture;
    format!(
        "<clipPath id=\"c{n}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/></clipPath>\
         <image href=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" clip-path=\"url(#c{n})\" \
         preserveAspectRatio=\"xMidYMid slice\"/>",
        escape_html(url)
    )
}

fn text(text: &Text) -> String {
    let Text { text, x, y, size, bold, color, align } = text;
    let weight = if *bold { 700 } else { 400 };
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{color}\" \
         text-anchor=\"{align}\">{}</text>",
        escape_html(text)
    )
}
