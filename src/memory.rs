//! Memory that is free again goes back to the system.

/// An arena of the allocator for each thread that works all the time: one a processor, the writer, and whoever started them.
/// glibc makes up to eight a processor, and what a thread of an idle shop once freed lies about in each of them; with fewer
/// than these, those who work wait for each other. Call it before the first thread starts.
pub fn few_arenas() {
    #[cfg(target_env = "gnu")]
    {
        let busy = std::thread::available_parallelism().map_or(2, usize::from) + 2;
        #[expect(unsafe_code, reason = "the standard library does not know the allocator beneath it")]
        // SAFETY: it changes a number that the allocator reads when a thread allocates for the first time.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, i32::try_from(busy).unwrap_or(i32::MAX));
        }
    }
}

/// Gives back what the allocator keeps for later. A nightly check or a busy hour needs many times what an idle shop does,
/// and glibc would keep it for ever.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the standard library does not know the allocator beneath it")]
    // SAFETY: it may be called at any time from any thread, and touches only memory that is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The same with the program's code: a start and a nightly check run much that is not run again for long. It stays in the
/// system's cache of the file, where it is the first to make room for others; what runs again is there again at once.
pub fn settle() {
    give_back();
    #[cfg(target_os = "linux")]
    unmap_code();
}

#[cfg(target_os = "linux")]
fn unmap_code() {
    let (Ok(maps), Ok(program)) = (std::fs::read_to_string("/proc/self/maps"), std::env::current_exe()) else { return };
    let program = program.to_string_lossy();
    for (from, to) in maps.lines().filter(|line| line.ends_with(&*program)).filter_map(code) {
        #[expect(unsafe_code, reason = "the standard library does not know where the program lies")]
        // SAFETY: these pages are the file's, nobody can write to them, and whoever runs them next reads them from there.
        unsafe {
            libc::madvise(from as *mut libc::c_void, to - from, libc::MADV_DONTNEED);
        }
    }
}

/// Where code begins and ends, of a line of `/proc/self/maps`; nothing of data, even of what cannot be written any more.
/// Source: proc_pid_maps(5).
#[cfg(target_os = "linux")]
fn code(line: &str) -> Option<(usize, usize)> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let place = |text| usize::from_str_radix(text, 16).ok();
    rest.starts_with("r-xp ").then_some(())?;
    Some((place(from)?, place(to)?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_let_go() {
        for (line, range) in [
            (
                "55d0c0a00000-55d0c1900000 r-xp 00550000 fe:00 123 /opt/xiaopu",
                Some((0x55d0_c0a0_0000, 0x55d0_c190_0000)),
            ),
            ("55d0c0400000-55d0c0a00000 r--p 00000000 fe:00 123 /opt/xiaopu", None),
            ("55d0c1900000-55d0c1960000 rw-p 01450000 fe:00 123 /opt/xiaopu", None),
            ("55d0c1900000-55d0c1960000 rwxp 01450000 fe:00 123 /opt/xiaopu", None),
            ("r-xp", None),
            ("", None),
        ] {
            assert_eq!(code(line), range, "{line}");
        }
    }

    #[test]
    fn the_program_runs_on_without_its_pages() {
        let before: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        settle();
        assert_eq!(before, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}
