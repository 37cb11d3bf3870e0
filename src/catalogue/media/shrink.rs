//! Making a picture smaller: each new pixel is the average of exactly the area that it covers.
//!
//! One pass over the rows, as they come, with two rows of sums beside it; a library's resampling keeps a second picture of floats, which
//! for a photograph of 50 megapixels is more memory than the whole shop takes.

/// A picture of `N` channels that becomes smaller line by line.
pub struct Shrinker<const N: usize> {
    size: (u32, u32),
    new_size: (u32, u32),
    row: Vec<[u32; N]>,
    sums: Vec<[u64; N]>,
    /// What the new row that is being summed can still hold of the old ones, each of which is `new_h` long, and it `h`;
    /// across, it is the same with `new_w` and `w`.
    room: u32,
    out: Vec<u8>,
}

impl<const N: usize> Shrinker<N> {
    /// From one size to another that is nowhere larger.
    pub fn new(size: (u32, u32), new_size: (u32, u32)) -> Shrinker<N> {
        let (new_w, new_h) = (new_size.0 as usize, new_size.1 as usize);
        let (row, sums) = (vec![[0; N]; new_w], vec![[0; N]; new_w]);
        Shrinker { size, new_size, row, sums, room: size.1, out: Vec::with_capacity(new_w * new_h * N) }
    }

    /// The next line, from the top.
    pub fn line(&mut self, line: &[u8]) {
        if self.size == self.new_size {
            return self.out.extend_from_slice(line);
        }
        let ((w, h), (new_w, new_h)) = (self.size, self.new_size);
        let area = u64::from(w) * u64::from(h);
        across(line, &mut self.row, w, new_w);
        let mut length = new_h;
        while length > 0 {
            let part = length.min(self.room);
            for (sum, pixel) in self.sums.iter_mut().zip(&self.row) {
                (0..N).for_each(|c| sum[c] += u64::from(pixel[c]) * u64::from(part));
            }
            (length, self.room) = (length - part, self.room - part);
            if self.room == 0 {
                self.out.extend(self.sums.iter().flatten().map(|sum| ((sum + area / 2) / area) as u8));
                self.sums.fill([0; N]);
                self.room = h;
            }
        }
    }

    /// The small picture; short of lines if it was given too few.
    pub fn done(self) -> Vec<u8> {
        self.out
    }
}

/// A whole picture at once.
pub fn shrink<const N: usize>(pixels: Vec<u8>, size: (u32, u32), new_size: (u32, u32)) -> Vec<u8> {
    if size == new_size || size.0 == 0 {
        return pixels;
    }
    let mut shrinker = Shrinker::<N>::new(size, new_size);
    pixels.chunks_exact(size.0 as usize * N).for_each(|line| shrinker.line(line));
    shrinker.done()
}

/// One row's sums; each is at most 255 × `w`.
fn across<const N: usize>(line: &[u8], row: &mut [[u32; N]], w: u32, new_w: u32) {
    row.fill([0; N]);
    let (mut at, mut room) = (0, w);
    for pixel in line.chunks_exact(N) {
        let part = new_w.min(room);
        (0..N).for_each(|c| row[at][c] += u32::from(pixel[c]) * part);
        room -= part;
        if room == 0 {
            at += 1;
            room = w - (new_w - part);
            if at < row.len() {
                (0..N).for_each(|c| row[at][c] += u32::from(pixel[c]) * (new_w - part));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_new_pixel_is_the_average_of_what_it_covers() {
        for (name, pixels, size, new_size, expected) in [
            ("halves", vec![0, 100, 50, 250], (2, 2), (1, 1), vec![100]),
            ("across", vec![10, 20, 30, 40], (4, 1), (2, 1), vec![15, 35]),
            ("down", vec![10, 20, 30, 40], (1, 4), (1, 2), vec![15, 35]),
            ("a third and two thirds", vec![0, 90, 180], (3, 1), (2, 1), vec![30, 150]),
            ("nothing to do", vec![1, 2, 3, 4], (2, 2), (2, 2), vec![1, 2, 3, 4]),
        ] {
            assert_eq!(shrink::<1>(pixels, size, new_size), expected, "{name}");
        }
    }

    #[test]
    fn one_colour_stays_that_colour_at_any_size() {
        for (w, h) in [(7, 5), (1201, 3), (1200, 9), (2399, 4), (65_535, 2)] {
            for (new_w, new_h) in [(w, h), (w / 2 + 1, h), (w, 1), (1, 1), (w - 1, h - 1)] {
                let pixels: Vec<u8> = [9, 200, 255].repeat((w * h) as usize);
                let small = shrink::<3>(pixels, (w, h), (new_w, new_h));
                assert_eq!(small.len() as u32, new_w * new_h * 3);
                assert!(small.chunks(3).all(|pixel| pixel == [9, 200, 255]), "{w}×{h} → {new_w}×{new_h}");
            }
        }
    }
}
