//! Columns aligned by tabs, as Go's `text/tabwriter` does with Hydra's settings (tab width 8, one
//! tab at least): scripts that cut Hydra's tables at tabs go on working.

/// The distance of tab stops.
const TAB: usize = 8;

/// Lines of cells. Each cell ends with a tab; a column is as wide as its widest cell among lines
/// next to each other that have it.
pub(super) fn align(lines: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let cell = printable(cell);
            text.push_str(&cell);
            let missing = width(lines, at, column) - cell.chars().count();
            text.extend(std::iter::repeat_n('\t', missing.div_ceil(TAB)));
        }
        text.push('\n');
    }
    text
}

/// The width of a column around a line: a whole number of tabs, wider than every cell of it.
fn width(lines: &[Vec<String>], at: usize, column: usize) -> usize {
    let has_it = |line: &&Vec<String>| line.len() > column;
    let above = lines[..at].iter().rev().take_while(has_it);
    let below = lines[at..].iter().take_while(has_it);
    let widest = above
        .chain(below)
        .map(|line| printable(&line[column]).chars().count())
        .max();
    (widest.unwrap_or_default() + 1).next_multiple_of(TAB)
}

/// What a server sent must not move the cursor, nor break a line.
fn printable(cell: &str) -> String {
    cell.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&[&str]]) -> Vec<Vec<String>> {
        text.iter()
            .map(|line| line.iter().map(ToString::to_string).collect())
            .collect()
    }

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell() {
        let text = align(&lines(&[
            &["CLIENT ID", "0123456789012345678901234567890123456"],
            &["CLIENT SECRET", "traefiklabs"],
            &["SCOPE", ""],
        ]));
        assert_eq!(
            text,
            "CLIENT ID\t0123456789012345678901234567890123456\t\n\
             CLIENT SECRET\ttraefiklabs\t\t\t\t\n\
             SCOPE\t\t\t\t\t\t\t\n"
        );
    }

    #[test]
    fn a_line_without_the_column_ends_it() {
        let text = align(&lines(&[
            &["CLIENT ID", "CLIENT SECRET"],
            &[""],
            &["NEXT PAGE TOKEN", ""],
            &["IS LAST PAGE", "true"],
        ]));
        assert_eq!(
            text,
            "CLIENT ID\tCLIENT SECRET\t\n\t\t\nNEXT PAGE TOKEN\t\t\nIS LAST PAGE\ttrue\t\n"
        );
    }

    #[test]
    fn a_cell_cannot_move_the_cursor() {
        assert_eq!(align(&lines(&[&["a\u{1b}[2J\nb"]])), "a [2J b\t\n");
    }
}
