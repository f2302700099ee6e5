//! The colours of locks: a hue for each family, a lightness for each variant of it, in light and in dark mode.

type Rgb = (u8, u8, u8);

/// Hues in degrees, in an order in which those of successive families are far apart.
const HUES: [f64; 12] = [45.0, 250.0, 155.0, 345.0, 85.0, 215.0, 305.0, 125.0, 15.0, 275.0, 185.0, 65.0];
/// Families beyond the first twelve lie between the hues of these.
const BETWEEN: f64 = 15.0;
/// Lightness of successive variants in the OKLab space; each has 3:1 against its background, and neighbours differ clearly.
const LIGHT: [f64; 4] = [0.53, 0.40, 0.63, 0.27];
const DARK: [f64; 4] = [0.72, 0.86, 0.60, 0.94];
const CHROMA: f64 = 0.15;

/// Number of colours.
pub(super) const SIZE: usize = 2 * HUES.len() * LIGHT.len();

/// A colour of the palette.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour {
    pub(super) light: Rgb,
    pub(super) dark: Rgb,
}

/// The number of the colour that a variant of a family wishes for.
pub(super) fn wished(family: usize, variant: usize) -> usize {
    (family % (2 * HUES.len())) * LIGHT.len() + variant % LIGHT.len()
}

/// The colour of a number below [`SIZE`].
pub(super) fn colour(number: usize) -> Colour {
    let (family, step) = (number / LIGHT.len() % (2 * HUES.len()), number % LIGHT.len());
    let hue = HUES[family % HUES.len()] + if family < HUES.len() { 0.0 } else { BETWEEN };
    Colour { light: rgb(LIGHT[step], hue), dark: rgb(DARK[step], hue) }
}

/// The strongest colour of this lightness and hue that a screen can show, up to [`CHROMA`].
fn rgb(lightness: f64, hue: f64) -> Rgb {
    let mut chroma = CHROMA;
    loop {
        let channels = linear(lightness, chroma, hue.to_radians());
        if chroma <= 0.0 || channels.iter().all(|channel| (0.0..=1.0).contains(channel)) {
            let [red, green, blue] = channels.map(encoded);
            return (red, green, blue);
        }
        chroma -= 0.005;
    }
}

/// Linear red, green and blue of a colour of the OKLab space (Björn Ottosson, 2020).
fn linear(lightness: f64, chroma: f64, hue: f64) -> [f64; 3] {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let middle = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    [
        4.076_741_662_1 * long - 3.307_711_591_3 * middle + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * middle - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * middle + 1.707_614_701 * short,
    ]
}

/// A linear channel as sRGB encodes it.
fn encoded(linear: f64) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let part = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (part * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A variable of the style sheet in light and in dark mode.
    fn variable(name: &str) -> [Rgb; 2] {
        let (css, name) = (lockbench_templates::STYLES[0], format!("--{name}: #"));
        let mut found = css.split(&name).skip(1).map(|rest| {
            let part = |at: usize| u8::from_str_radix(&rest[at..at + 2], 16).unwrap();
            (part(0), part(2), part(4))
        });
        [found.next().unwrap(), found.next().unwrap()]
    }

    fn luminance((red, green, blue): Rgb) -> f64 {
        let [red, green, blue] = [red, green, blue].map(|channel| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast of WCAG 2.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_colour_of_a_plot_has_a_contrast_of_3_on_both_backgrounds() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
        for ground in ["paper", "panel"] {
            let [light, dark] = variable(ground);
            for number in 0..SIZE {
                let colour = colour(number);
                assert!(contrast(colour.light, light) >= 3.0, "{number} {ground} {colour:?}");
                assert!(contrast(colour.dark, dark) >= 3.0, "{number} {ground} {colour:?}");
            }
            for name in ["vermillion", "blue", "green", "purple", "orange", "sky", "ink", "muted"] {
                for (own, ground) in variable(name).into_iter().zip([light, dark]) {
                    assert!(contrast(own, ground) >= 3.0, "{name} {own:?} on {ground:?}");
                }
            }
        }
    }

    /// How different two colours look: their distance in a rough perceptual space of lightness and opponent colours.
    fn apart(one: Rgb, other: Rgb) -> f64 {
        let lab = |colour: Rgb| {
            let root = luminance(colour).cbrt();
            let [red, green, blue] = [colour.0, colour.1, colour.2].map(|channel| f64::from(channel) / 255.0);
            [root, (red - green) / 2.0, (green + red) / 4.0 - blue / 2.0]
        };
        lab(one).iter().zip(lab(other)).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn no_two_colours_are_one_and_those_of_a_family_differ_clearly() {
        for one in 0..SIZE {
            for other in 0..one {
                let (a, b) = (colour(one), colour(other));
                assert!(a.light != b.light && a.dark != b.dark, "{one} {other}");
                if one / LIGHT.len() == other / LIGHT.len() {
                    let [light, dark] = [apart(a.light, b.light), apart(a.dark, b.dark)];
                    assert!(light > 0.07 && dark > 0.07, "{one} {other}: {light} {dark}");
                }
            }
        }
    }

    #[test]
    fn successive_families_differ_clearly() {
        for family in 1..HUES.len() {
            let [one, other] = [family, family - 1].map(|family| colour(wished(family, 0)));
            assert!(apart(one.light, other.light) > 0.15 && apart(one.dark, other.dark) > 0.15, "{family}");
        }
    }
}
