//! Lists of CPUs as people and the kernel write them: `0-3,8`.

use std::{collections::HashSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Error, PuIndex};

/// Distinct CPU indices as the operating system numbers them, in the order given.
///
/// Reads and prints as `0-3,8`; a range may have a stride, `0-14:2`. Serialised as that text.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CpuList(Vec<u32>);

impl CpuList {
    /// Far above what Linux can number; keeps `0-4000000000` from filling the memory.
    const LARGEST: u32 = (1 << 20) - 1;

    /// How many CPUs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The CPUs in the order given.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = PuIndex> + ExactSizeIterator {
        self.0.iter().copied().map(PuIndex)
    }

    /// Whether `pu` is listed.
    pub fn contains(&self, pu: PuIndex) -> bool {
        self.0.contains(&pu.0)
    }
}

/// Repeated indices count once, where they come first.
impl FromIterator<u32> for CpuList {
    fn from_iter<I: IntoIterator<Item = u32>>(indices: I) -> Self {
        let mut seen = HashSet::new();
        Self(indices.into_iter().filter(|&index| seen.insert(index)).collect())
    }
}

impl FromIterator<PuIndex> for CpuList {
    fn from_iter<I: IntoIterator<Item = PuIndex>>(pus: I) -> Self {
        pus.into_iter().map(|pu| pu.0).collect()
    }
}

impl FromStr for CpuList {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut indices = Vec::new();
        for item in text.split(',') {
            range(item.trim(), &mut indices)
                .map_err(|reason| Error::BadCpuList { text: text.to_owned(), reason })?;
        }
        let mut seen = HashSet::new();
        match indices.iter().find(|&index| !seen.insert(index)) {
            Some(twice) => Err(Error::BadCpuList {
                text: text.to_owned(),
                reason: format!("CPU {twice} is in it twice"),
            }),
            None => Ok(Self(indices)),
        }
    }
}

/// Reads `8`, `0-3` or `0-14:2`.
fn range(item: &str, indices: &mut Vec<u32>) -> Result<(), String> {
    if item.is_empty() {
        return Err("a CPU is missing".to_owned());
    }
    let (span, stride) = item.split_once(':').unwrap_or((item, "1"));
    let (first, last) = span.split_once('-').unwrap_or((span, span));
    let (first, last, stride) = (number(first)?, number(last)?, number(stride)?);
    if last < first {
        return Err(format!("`{item}` runs backwards"));
    }
    if stride == 0 {
        return Err(format!("`{item}` has a stride of 0"));
    }
    indices.extend((first..=last).step_by(stride as usize));
    Ok(())
}

fn number(digits: &str) -> Result<u32, String> {
    if digits.is_empty() {
        return Err("a number is missing".to_owned());
    }
    // `parse` alone would take `+3`.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{}` is not a number", digits.escape_debug()));
    }
    match digits.parse() {
        Ok(number) if number <= CpuList::LARGEST => Ok(number),
        _ => Err(format!("{digits} is beyond the largest CPU number, {}", CpuList::LARGEST)),
    }
}

impl fmt::Display for CpuList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        let mut separator = "";
        while let [first, ..] = *rest {
            let run = rest.iter().zip(first..).take_while(|(index, expected)| **index == *expected).count();
            match run {
                1 => write!(f, "{separator}{first}")?,
                _ => write!(f, "{separator}{first}-{}", rest[run - 1])?,
            }
            separator = ",";
            rest = &rest[run..];
        }
        Ok(())
    }
}

impl TryFrom<String> for CpuList {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        if text.is_empty() { Ok(Self::default()) } else { text.parse() }
    }
}

impl From<CpuList> for String {
    fn from(list: CpuList) -> Self {
        list.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<CpuList>().map(|list| list.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_and_prints() {
        assert_eq!(read("0-3,8").unwrap(), "0-3,8");
        assert_eq!(read("8, 0-3").unwrap(), "8,0-3", "the order given stays");
        assert_eq!(read("0-6:2").unwrap(), "0,2,4,6");
        assert_eq!(read("1023-1025").unwrap(), "1023-1025");
        assert_eq!(CpuList::default().to_string(), "");
    }

    #[test]
    fn refuses_in_a_sentence() {
        let all = [
            "",
            ",",
            "1,",
            "a",
            "+1",
            "-1",
            "1-",
            "3-1",
            "1,1",
            "0-3,2",
            "0-4:0",
            "0-4000000000",
            "99999999999999",
            "0x1",
        ];
        let said: Vec<_> = all.iter().map(|text| read(text).unwrap_err()).collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn survives_serialisation() {
        for text in ["", "0-3,8", "7,1-2"] {
            let list = CpuList::try_from(text.to_owned()).unwrap();
            let json = serde_json::to_string(&list).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<CpuList>(&json).unwrap(), list);
        }
    }
}
